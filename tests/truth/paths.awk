# Paths within a root whose tree was read into link[path] = target and kind[path] = f or d, paths
# without their leading /.

# Where a path leads within the root: its real path without the leading /, or "?" when nowhere.
function resolve(path,    todo, part, at, next_, follows, depth, cut) {
  at = ""
  todo = path
  depth = 0
  while (todo != "") {
    cut = index(todo, "/")
    if (cut == 0) { part = todo; todo = "" } else { part = substr(todo, 1, cut - 1); todo = substr(todo, cut + 1) }
    if (part == "" || part == ".") continue
    if (part == "..") { sub(/\/?[^\/]*$/, "", at); continue }
    next_ = at == "" ? part : at "/" part
    if (next_ in link) {
      if (++depth > 40) return "?"
      follows = link[next_]
      if (substr(follows, 1, 1) == "/") at = ""
      todo = follows "/" todo
    } else if (next_ in kind) at = next_
    else return "?"
  }
  return at
}

# A path as it is compared by name: no //, /./, or /../.
function lexical(path,    parts, n, i, out, depth, kept) {
  n = split(path, parts, "/")
  depth = 0
  for (i = 1; i <= n; i++) {
    if (parts[i] == "" || parts[i] == ".") continue
    if (parts[i] == "..") { if (depth) depth--; continue }
    kept[++depth] = parts[i]
  }
  out = ""
  for (i = 1; i <= depth; i++) out = out "/" kept[i]
  return out == "" ? "/" : out
}
