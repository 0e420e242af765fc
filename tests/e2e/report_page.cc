// report_page KIND >PAGE: the HTML report of an audit that no small image has. KIND is `large`
// (5,000 files), `hostile`, `bare` (a manifest alone), or a file with the JSON of an audit.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "cmd/report/html.h"
#include "tests/cmd/audit_fixture.h"

int main(int argc, char** argv) {
  using namespace cloister::cmd;
  const std::string kind = argc == 2 ? argv[1] : "";
  std::string json;
  if (kind == "large") {
    json = large_audit(5000);
  } else if (kind == "deep") {
    json = deep_audit(3000);
  } else if (kind == "hostile") {
    json = hostile_audit();
  } else if (kind == "bare") {
    json = bare_audit();
  } else {
    std::ifstream file(kind, std::ios::binary);
    json.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto page = audit_html(json);
  if (!page) {
    std::fprintf(stderr, "report_page: %s\n", page.error().what().c_str());
    return 1;
  }
  return std::fwrite(page->data(), 1, page->size(), stdout) == page->size() ? 0 : 1;
}
