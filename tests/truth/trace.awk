# Reads what strace saw of a program in a root of its own, and tells files that it opened from those it
# looked at. First file: the root's tree, as find -printf '%y\t%P\t%l\n'; then one file per process,
# as strace -ff -y writes them. Variables: mount (the root's path outside), prefix (of the results),
# executed (a list of what was executed, for the caller to find the interpreters). Needs paths.awk.

# The name of a file as strace prints it: octal and C escapes undone.
function plain(text,    out, i, c, n) {
  if (index(text, "\\") == 0) return text
  out = ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c != "\\") { out = out c; continue }
    c = substr(text, ++i, 1)
    if (c ~ /[0-7]/) {
      n = 0
      while (c ~ /[0-7]/) { n = n * 8 + c; c = substr(text, ++i, 1) }
      i--
      out = out sprintf("%c", n)
    } else if (c == "n") out = out "\n"
    else if (c == "t") out = out "\t"
    else out = out c
  }
  return out
}

# "…</mount/dir>, "name", …": the name as spelled, made absolute by the directory it is relative to.
function spelled(line,    from, text, dir) {
  if (!match(line, /"([^"\\]|\\.)*"/)) return ""
  text = plain(substr(line, RSTART + 1, RLENGTH - 2))
  if (substr(text, 1, 1) == "/") return text
  from = substr(line, 1, RSTART - 1)
  if (!match(from, /<[^>]*>/)) return ""
  dir = plain(substr(from, RSTART + 1, RLENGTH - 2))
  if (text == "" || index(dir "/", mount "/") != 1) return ""
  return substr(dir, length(mount) + 1) "/" text
}

function open_file(path, real) {
  opened[real] = 1
  path = lexical(path)
  if (path != "/" real) paths[path "\t" real] = 1
}

NR == FNR {
  split($0, field, "\t")
  if (field[1] == "l") link[field[2]] = field[3]
  else kind[field[2]] = field[1]
  next
}
FNR == 1 { # a new process: the first one's life before it entered the root is not the program's
  inside = 1
  while ((getline line < FILENAME) > 0)
    if (index(line, "chroot(\"" mount "\"") == 1) { inside = 0; break }
  close(FILENAME)
}
!inside {
  if (index($0, "chroot(\"" mount "\"") == 1) inside = 1
  next
}
!/\) += [0-9]/ && !/^execve\(/ { next }
/\) += -1 / { next }
{
  call = substr($0, 1, index($0, "(") - 1)
  if (call ~ /^(open|openat|openat2|creat)$/) {
    if (!match($0, /= [0-9]+<.*>(\(deleted\))?$/)) next
    real = substr($0, RSTART, RLENGTH)
    sub(/\(deleted\)$/, "", real)
    real = plain(substr(real, index(real, "<") + 1, length(real) - index(real, "<") - 1))
    if (index(real, mount "/") != 1) next
    real = substr(real, length(mount) + 2)
    if (!(real in kind)) next
    if (kind[real] == "d") { looked[real "/"] = 1; next }
    if (kind[real] != "f") next
    path = spelled($0)
    open_file(path == "" ? "/" real : path, real)
    if ($0 ~ /O_(WRONLY|RDWR)/ || call == "creat") written[real] = 1
  } else {
    path = spelled($0)
    if (path == "") next
    real = resolve(path)
    if (real == "?" || real == "") next
    if (call ~ /^execve/) {
      if (kind[real] == "f") { open_file(path, real); run[real] = 1 }
    } else if (kind[real] == "f") looked[real] = 1
    else if (kind[real] == "d") looked[real "/"] = 1
  }
}
END {
  printf "" > (prefix ".opened.txt")
  printf "" > (prefix ".stat.txt")
  printf "" > (prefix ".paths.tsv")
  printf "" > (prefix ".written.txt")
  printf "" > executed
  for (file in opened) print file > (prefix ".opened.txt")
  for (file in looked) if (!(file in opened)) print file > (prefix ".stat.txt")
  for (line in paths) print line > (prefix ".paths.tsv")
  for (file in written) print file > (prefix ".written.txt")
  for (file in run) print file > executed
}
