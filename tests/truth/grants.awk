# Splits the regular files of a root into those that some granted path leads to, or that belong to the C
# library, and the others. Needs paths.awk, -F '\t'. Files: the tree (kind, path, link target, inode),
# names of the C library's files, granted paths. Results, each name ended by NUL: variables granted and
# denied name the files. A file of several names is granted by any of them.
FNR == 1 { stage++ }
stage == 1 {
  if ($1 == "l") link[$2] = $3
  else { kind[$2] = $1; inode[$2] = $4 }
  next
}
stage == 2 { libc[$0] = 1; next }
{
  file = resolve($0)
  if (kind[file] == "f") open_[inode[file]] = 1
}
END {
  for (file in kind) {
    name = file
    sub(/.*\//, "", name)
    if (name in libc && file ~ /(^|\/)lib(64)?\//) open_[inode[file]] = 1
  }
  printf "" > granted
  printf "" > denied
  for (file in kind)
    if (kind[file] == "f") printf "%s%c", file, 0 > (inode[file] in open_ ? granted : denied)
}
