# cmake -DOUT=… -DDIR=… -DFILES=a;b -P embed.cmake: writes a C++ source that holds the files as raw strings.
list(SORT FILES)
set(rows "")
foreach(file IN LISTS FILES)
  file(READ ${DIR}/${file} text)
  string(FIND "${text}" ")embed\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${file} holds the raw string delimiter")
  endif()
  # A string literal may be limited to 64 KiB; these files are far smaller.
  string(APPEND rows "    {\"${file}\", R\"embed(${text})embed\"},\n")
endforeach()
file(WRITE ${OUT} "#include \"templates/embedded.h\"\n\nnamespace cloister::templates {\nnamespace {\nconstexpr File kFiles[] = {\n${rows}};\n}  // namespace\nstd::span<const File> files() { return kFiles; }\n}  // namespace cloister::templates\n")
