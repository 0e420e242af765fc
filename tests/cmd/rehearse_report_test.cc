// The reports on a rehearsal against files in reports/ that are reviewed as texts. After a change
// that is wanted: CLOISTER_ACCEPT=1 build/rehearse_report_test.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/rehearsal_file.h"
#include "cmd/report/audit.h"
#include "cmd/report/html.h"
#include "cmd/report/rehearse.h"
#include "cmd/session.h"
#include "cmd/wrap.h"
#include "manifest-gen/rehearse/run_json.h"
#include "tests/base/source_dir.h"
#include "tests/cmd/audit_fixture.h"

namespace cloister::cmd {
namespace {

using manifest::Denied;
using manifest::FileUse;
using manifest::Proposal;

TomlTable manifest_table() {
  auto table = parse_toml(
      "fs.root = { type = \"chroot\", uri = \"file:/\" }\n"
      "fs.mounts = [ { type = \"tmpfs\", path = \"/run\" } ]\n"
      "sgx.enclave_size = \"512M\"\nsgx.max_threads = 64\n"
      "sgx.trusted_files = [\n"
      "{ uri = \"file:/usr/sbin/nginx\", sha256 = \"aa\" },\n"
      "{ uri = \"file:/etc/nginx/nginx.conf\", sha256 = \"bb\" },\n"
      "{ uri = \"file:/usr/share/nginx/html/50x.html\", sha256 = \"cc\" },\n"
      "]\n",
      Limits{}, "the manifest");
  EXPECT_TRUE(table);
  return table ? std::move(*table) : TomlTable();
}

manifest::PathUse file_use(FileUse use, std::uint64_t done, std::uint64_t refused) {
  manifest::PathUse out;
  out.of(use).done = done;
  out.of(use).refused = refused;
  out.type = manifest::ObservedType::regular;
  out.programs = {"/usr/sbin/nginx"};
  return out;
}

RehearseReport example() {
  RehearseReport report;
  report.image = "docker.io/library/nginx:1.27";
  report.digest = cat("sha256:", std::string(64, 'a'));
  report.platform = "linux/amd64";
  report.manifest_digest = cat("sha256:", std::string(64, 'b'));
  manifest::ObservedRun& run = report.run;
  run.source = "rehearsal";
  run.command = {"nginx", "-g", "daemon off;"};
  run.seconds = 12.5;
  run.requests = 5000;
  run.profiled = true;
  run.executions = 1;
  run.isolation = "user, mount, process and network name spaces of its own";
  run.paths["/usr/sbin/nginx"] = file_use(FileUse::execute, 1, 0);
  run.paths["/etc/nginx/nginx.conf"] = file_use(FileUse::read, 1, 0);
  run.paths["/etc/nginx/mime.types"] = file_use(FileUse::read, 0, 1);
  run.paths["/etc/ssl/private/site.key"] = file_use(FileUse::read, 0, 2);
  run.paths["/var/cache/nginx/client_temp"] = file_use(FileUse::create, 0, 1);
  run.paths["/var/log/nginx/error.log"] = file_use(FileUse::write, 0, 1);
  run.paths["/var/log/nginx/error.log"].real = "/dev/stderr";
  run.paths["/run/nginx.pid"] = file_use(FileUse::create, 1, 0);
  run.paths["/proc/sys/kernel/ngroups_max"] = file_use(FileUse::write, 0, 1);
  run.sockets[{"inet", "bind", "0.0.0.0:80"}] = 1;
  run.programs["/usr/sbin/nginx"] = {.processes = 1,
                                     .resident_bytes = 8 << 20,
                                     .virtual_bytes = 700 << 20,
                                     .heap_bytes = 3 << 20,
                                     .data_bytes = 600 << 20,
                                     .stack_bytes = 132 << 10,
                                     .threads = 5,
                                     .descriptors = 20};
  run.calls = {{{"epoll_wait", "epoll"}, 5000}, {{"recvfrom", "socket"}, 5000},
               {{"writev", "socket"}, 5000},    {{"write", "terminal"}, 5000},
               {{"read", "trusted"}, 40},       {{"io_setup", ""}, 1}};
  run.unimplemented = {{"io_setup", 1}, {"rseq", 1}};
  run.stand_ins = {"/lib/x86_64-linux-gnu/libc.so.6"};
  run.notes = {"the C library was the image's own: in the enclave it is the runtime's",
               "2 probes of http://127.0.0.1:80/ failed before it was ready"};
  const TomlTable table = manifest_table();
  report.verdict = manifest::judge(run, {.manifest = table});
  report.tax = manifest::tax_of(run, {});
  return report;
}

// The same with a text of others wherever a text of others can be.
RehearseReport hostile(const std::string& text) {
  RehearseReport report = example();
  report.image = text;
  report.run.command = {text};
  report.run.isolation = text;
  report.run.notes = {text};
  report.run.paths["/" + text] = file_use(FileUse::read, 1, 1);
  report.run.paths["/" + text].programs = {"/" + text, text};
  report.run.paths["/" + text].real = "/" + text;
  report.run.calls[{text, text}] = 3;
  report.run.unimplemented[text] = 1;
  report.run.sockets[{text, text, text}] = 1;
  report.run.sockets[{"unix", "bind", text}] = 1;
  report.run.programs["/" + text] = {.processes = 1, .virtual_bytes = 1ULL << 32};
  const TomlTable table = manifest_table();
  report.verdict = manifest::judge(report.run, {.manifest = table, .tighten = true});
  report.tax = manifest::tax_of(report.run, {});
  Denied denied = report.verdict.denied.front();
  denied.path = denied.real = denied.package = denied.why = denied.warning = denied.finding = text;
  report.verdict.denied.push_back(denied);
  report.verdict.exclude = {text};
  report.verdict.unused.push_back({text, {{text, {text}, 1, true}}, 1});
  report.verdict.written.push_back({text, manifest::Place::ungranted, 1, text, text,
                                    manifest::path_proposal(Proposal::Kind::tmpfs, text, text)});
  report.verdict.remarks.push_back(text);
  return report;
}

void as_reviewed(const std::string& name, std::string text) {
  const std::string version = cat("cloister ", kVersion);
  for (std::size_t at = 0; (at = text.find(version, at)) != std::string::npos;)
    text.replace(at, version.size(), "cloister VERSION");
  const auto file = source_dir() / "tests/cmd/reports" / name;
  if (std::getenv("CLOISTER_ACCEPT") != nullptr) {
    ASSERT_TRUE(write_file_atomic(file, as_bytes(text)).has_value());
    return;
  }
  const auto reviewed = read_text_file(file, 1U << 20);
  ASSERT_TRUE(reviewed.has_value()) << file << " is missing: CLOISTER_ACCEPT=1 writes it";
  EXPECT_EQ(text, *reviewed) << file;
}

TEST(RehearseReport, IsAsReviewed) {
  const RehearseReport report = example();
  as_reviewed("rehearse.txt", rehearse_text(report, 80, false));
  as_reviewed("rehearse.color.txt", rehearse_text(report, 80, true));
  as_reviewed("rehearse.md", rehearse_markdown(report));
  as_reviewed("rehearse.json", rehearse_json(report));
}

TEST(RehearseReport, OfNothingIsClean) {
  RehearseReport report;
  report.tax = manifest::tax_of(report.run, {});
  report.verdict = manifest::judge(report.run, {.manifest = TomlTable()});
  EXPECT_EQ(rehearse_text(report, 80, false).rfind("CLEAN  0 files opened, all granted\n", 0), 0U);
  EXPECT_NE(rehearse_markdown(report).find("clean: 0 files opened"), std::string::npos);
  EXPECT_TRUE(parse_json(rehearse_json(report), Limits{}, "the report"));
}

TEST(RehearseReport, FitsTheWidthButForLinesToCopy) {
  const std::string text = rehearse_text(example(), 80, false);
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with("    add ") && !line.starts_with("  digest ")) {
      EXPECT_LE(columns_of(line), 80U) << line;
    }
  }
}

TEST(RehearseReport, HoldsTheRunAsItWas) {
  const RehearseReport report = example();
  const auto run = manifest::parse_run_json(rehearse_json(report), Limits{}, "the report");
  ASSERT_TRUE(run) << run.error().what();
  EXPECT_EQ(*run, report.run);
}

class RehearsalFile : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(testing::TempDir()) / cat("rehearsal-", getpid());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string file(const std::string& name, std::string_view text) const {
    const auto path = directory_ / name;
    EXPECT_TRUE(write_file_atomic(path, as_bytes(text)).has_value());
    return path;
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(RehearsalFile, OfSeveralRunsAreTakenTogether) {
  RehearseReport other = example();
  other.run.requests = 1;
  other.run.paths["/etc/other"] = file_use(FileUse::read, 0, 1);
  other.digest = cat("sha256:", std::string(64, 'c'));
  const auto all =
      read_rehearsals({file("a", rehearse_json(example())), file("b", rehearse_json(other)),
                       file("c", manifest::run_json(example().run))},
                      Limits{});
  ASSERT_TRUE(all) << all.error().what();
  EXPECT_EQ(all->run.requests, 10001U);
  EXPECT_TRUE(all->run.paths.contains("/etc/other"));
  EXPECT_EQ(all->digests, (std::vector<std::string>{example().digest, other.digest}));
  EXPECT_EQ(all->files.size(), 3U);
}

TEST_F(RehearsalFile, ThatIsNoneIsRefused) {
  for (const char* text :
       {"", "{}", "[]", "{\"image\":1,\"run\":{}}", "{\"run\":[]}", "not JSON"}) {
    const auto read = read_rehearsals({file("x", text)}, Limits{});
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), Code::corrupt) << text << read.error().what();
  }
  EXPECT_FALSE(read_rehearsals({"/no/such/file"}, Limits{}));
}

TEST(RehearsalPage, IsPartOfTheAuditOnlyWhereThereIsOne) {
  AuditReport audit;
  audit.name = "image";
  const auto without = audit_html(audit_json(audit));
  ASSERT_TRUE(without);
  EXPECT_EQ(without->find("id=\"rehearsal\""), std::string::npos);
  audit.rehearsal = {{"a.json<script>"}, example().verdict};
  const auto page = audit_html(audit_json(audit));
  ASSERT_TRUE(page);
  EXPECT_NE(page->find("id=\"rehearsal\""), std::string::npos);
  EXPECT_NE(page->find("href=\"#rehearsal\""), std::string::npos);
  EXPECT_NE(page->find("a.json&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page->find("Refused</strong>: 4 paths"), std::string::npos);
  EXPECT_NE(audit_text(audit, 80, false).find("rehearsal  2 files opened, 4 paths refused"),
            std::string::npos);
}

TEST(RehearseReport, IsNotLedByHostileNames) {
  std::vector<std::string> texts = hostile_texts();
  texts.insert(texts.end(),
               {"\x1b]0;x\x07", "a\nsgx.debug = true", "\xff\xfe/x", "|`<b>", "\u202e"});
  for (const std::string& text : texts) {
    const RehearseReport report = hostile(text);
    const std::string plain = rehearse_text(report, 80, false);
    for (const char c : plain)
      EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << quote(text);
    EXPECT_TRUE(is_utf8(plain)) << quote(text);
    EXPECT_EQ(plain.find("\u202e"), std::string::npos);
    const std::string markdown = rehearse_markdown(report);
    EXPECT_EQ(markdown.find("<script"), std::string::npos) << quote(text);
    EXPECT_EQ(markdown.find("\x1b"), std::string::npos);
    EXPECT_EQ(markdown.find("<b>"), std::string::npos);
    const auto json = parse_json(rehearse_json(report), Limits{}, "the report");
    ASSERT_TRUE(json) << json.error().what();
    const auto overlay = parse_toml((*json)["overlay"].get<std::string>(), Limits{}, "the overlay");
    ASSERT_TRUE(overlay) << overlay.error().what();
    EXPECT_EQ(overlay->at("sgx.debug"), nullptr) << quote(text);
    EXPECT_NE((*json)["verdict"]["denied"].size(), 0U);
  }
}

}  // namespace
}  // namespace cloister::cmd
