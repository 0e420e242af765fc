# What a manifest grants against what a program really opened. Needs paths.awk. Files, in this order:
#   tree      every path of the image: kind (f, d, l), path without its leading /, link target, size, digest
#   runtime   names of the files of the runtime's C library, which stand in for the image's own
#   mounts    directories that the manifest mounts over
#   allowed   prefixes that the manifest allows unchecked
#   trusted   paths that the manifest grants
#   written   files that were also opened for writing: writable data, of which nothing is claimed
#   volumes   directories that the image declares as such: what they hold, people decide
#   opened    files that were opened
#   spelled   path as spelled, file it led to
# Output: "missed PATH FILE", then one line "figures" with the numbers of the table.

function base(path) { sub(/.*\//, "", path); return path }

# Python's byte code is never valid in Gramine, which tells no time stamps: its source is opened.
function source(path,    name, dir) {
  if (path !~ /\.pyc$/) return path
  name = base(path)
  dir = substr(path, 1, length(path) - length(name) - 1)
  if (base(dir) == "__pycache__") {
    sub(/\/?__pycache__$/, "", dir)
    sub(/\..*/, "", name)
  } else sub(/\.pyc$/, "", name)
  return dir "/" name ".py"
}

# The bytes of a file, once in each sum for all files of the same content: hard links are one file.
function bytes(sum, file) {
  if ((sum, digest[file]) in summed) return 0
  summed[sum, digest[file]] = 1
  return size[file]
}

function below(path, dir) { return path == dir || index(path, dir "/") == 1 }

function replaced(file) {
  return file == "etc/ld.so.cache" || (base(file) in runtime && file ~ /(^|\/)lib(64)?\//)
}

function granted(path,    dir) {
  for (dir in mounts) if (below(path, dir)) return 0
  if (path in trusted) return 1
  for (dir in allowed) if (below(path, dir)) return 1
  return 0
}

function in_volume(file,    dir) {
  for (dir in volumes) if (below("/" file, dir)) return 1
  return 0
}

function demand(path, file,    src) {
  if (replaced(file) || file in written || in_volume(file)) return
  src = resolve(source(file))
  if (src != "?" && src != file) { path = source(path); file = src }
  if (!(file in wanted)) { wanted[file] = 1; opened_files++; opened_bytes += bytes("opened", file) }
  if (!granted(path) && !((path, file) in missed)) {
    missed[path, file] = 1
    misses++
    print "missed\t" path "\t" (path == "/" file ? "" : file)
  }
}

# What GSC leaves out: its exclusion list (gsc 1.9, finalize_manifest.py).
function gsc_leaves_out(file) {
  return file ~ /^(boot|dev|proc|sys|var)\// || file ~ /^etc\/(gshadow|shadow|mtab$|\.pwd\.lock$|rc.\.d\/|security\/)/ ||
    file ~ /^\.docker(env|init)$/
}

BEGIN { FS = "\t" }
FNR == 1 { stage = FILENAME; sub(/.*\//, "", stage) }
stage == "tree" {
  if ($1 == "l") link[$2] = $3
  else kind[$2] = $1
  if ($1 == "f") {
    size[$2] = $4
    digest[$2] = $5
    if (!gsc_leaves_out($2)) { gsc_files++; gsc_bytes += bytes("gsc", $2) }
  }
  next
}
stage == "runtime" { runtime[$0] = 1; next }
stage == "mounts" { mounts[$0] = 1; next }
stage == "allowed" { allowed[$0] = 1; next }
stage == "trusted" {
  trusted[$0] = 1
  file = resolve($0)
  if (file == "?" || kind[file] != "f") next
  entries++
  if (!(file in counted)) { counted[file] = 1; trusted_files++; trusted_bytes += bytes("trusted", file) }
  next
}
stage == "written" { written[$0] = 1; next }
stage == "volumes" { volumes[$0] = 1; next }
stage == "opened" { demand("/" $0, $0); next }
stage == "spelled" { demand(lexical($1), $2) }
END {
  printf "figures\t%d\t%d\t%.0f\t%d\t%d\t%.0f\t%d\t%.0f\n", misses, opened_files, opened_bytes, entries, trusted_files, trusted_bytes, gsc_files, gsc_bytes
}
