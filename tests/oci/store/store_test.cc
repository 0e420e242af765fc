#include "oci/store/store.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <thread>

#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

Status put(Store& store, std::string_view content, const Descriptor& as) {
  MemorySource source(as_bytes(content));
  return store.put_blob(as, source);
}

Status put(Store& store, std::string_view content) {
  return put(store, content, describe("x", content));
}

bool holds(const Store& store, std::string_view content) {
  const auto bytes = store.read_blob(describe("x", content), 1 << 30);
  return bytes.has_value() && as_text(*bytes) == content;
}

TEST(Store, IsAnEmptyLayoutAtFirst) {
  const ScratchDirectory scratch;
  ASSERT_TRUE(Store::open(scratch / "a/b/store").has_value());  // parents too
  EXPECT_EQ(read_text(scratch / "a/b/store/oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  auto index = parse_image_index(read_text(scratch / "a/b/store/index.json"), Limits());
  ASSERT_TRUE(index.has_value());
  EXPECT_TRUE(index->manifests.empty());
  EXPECT_TRUE(fs::is_directory(scratch / "a/b/store/blobs/sha256"));
}

TEST(Store, CompletesALayoutThatAKilledOpenLeft) {
  const ScratchDirectory scratch;
  write_text(scratch / "oci-layout", "");
  ASSERT_TRUE(Store::open(scratch.path()).has_value());
  EXPECT_EQ(read_text(scratch / "oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
}

TEST(Store, RefusesADirectoryOfSomethingElse) {
  const ScratchDirectory scratch;
  write_text(scratch / "thesis.txt", "years of work");
  EXPECT_EQ(code_of(Store::open(scratch.path())), Code::invalid);
  EXPECT_EQ(count_files(scratch.path()), 1U);
}

TEST(Store, SaysWhyItCannotBeOpened) {
  const ScratchDirectory scratch;
  write_text(scratch / "file", "");
  for (const fs::path& path :
       {scratch / "file", scratch / "file/below", fs::path("/proc/no-store-here")}) {
    const auto store = Store::open(path);
    ASSERT_FALSE(store.has_value()) << path;
    EXPECT_EQ(store.error().code(), Code::io);
    EXPECT_NE(store.error().hint().find("--store"), std::string::npos);
  }
}

TEST(Store, KeepsWhatMatchesItsDigest) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  std::uint64_t told = 0;
  const std::string content(1 << 20, 'x');
  MemorySource source(as_bytes(content));
  ASSERT_TRUE(store->put_blob(describe("x", content), source, [&](std::size_t n) { told += n; })
                  .has_value());
  EXPECT_EQ(told, content.size());
  EXPECT_TRUE(holds(*store, content));
  EXPECT_EQ(read_text(scratch / "s/blobs/sha256" / sha256(content).hex()), content);
  EXPECT_TRUE(put(*store, content).has_value());  // again: idempotent
  EXPECT_TRUE(put(*store, "").has_value());
  EXPECT_TRUE(holds(*store, ""));
}

TEST(Store, RefusesWhatDoesNotMatchAndLeavesNothing) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  const Descriptor want = describe("x", "content");
  for (std::string_view got : {"contenT", "conten", "", "content and more"}) {
    const auto status = put(*store, got, want);
    ASSERT_FALSE(status.has_value()) << got;
    EXPECT_EQ(status.error().code(), Code::corrupt);
    EXPECT_FALSE(status.error().hint().empty());
  }
  EXPECT_FALSE(store->has_blob(want.digest, want.size));
  EXPECT_EQ(count_files(scratch / "s/blobs/sha256"), 0U);
  EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 0U);
}

class FailingSource final : public Source {
 public:
  Result<std::size_t> read(std::span<std::byte> out) override {
    if (++reads_ == 3) return Error::unavailable("connection reset");
    return out.size();
  }

 private:
  int reads_ = 0;
};

TEST(Store, LeavesNothingOfATransferThatFailsOrIsCancelled) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  Descriptor want = describe("x", "content");
  want.size = 1 << 30;
  FailingSource failing;
  EXPECT_EQ(code_of(store->put_blob(want, failing)), Code::unavailable);
  const std::atomic<bool> cancelled{true};
  FailingSource untouched;
  EXPECT_EQ(code_of(store->put_blob(want, untouched, {}, CancelToken(&cancelled))),
            Code::cancelled);
  EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 0U);
}

TEST(Store, CountsABlobOfTheWrongSizeAsAbsent) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  ASSERT_TRUE(put(*store, "content").has_value());
  const Descriptor blob = describe("x", "content");
  fs::resize_file(store->blob_path(blob.digest), 3);
  EXPECT_FALSE(store->has_blob(blob.digest, blob.size));
  EXPECT_EQ(code_of(store->open_blob(blob)), Code::not_found);
  ASSERT_TRUE(put(*store, "content").has_value());
  EXPECT_TRUE(holds(*store, "content"));
}

TEST(Store, ComparesADocumentWithItsDigestAgain) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  ASSERT_TRUE(put(*store, "content").has_value());
  const Descriptor blob = describe("x", "content");
  write_text(store->blob_path(blob.digest), "CONTENT");
  EXPECT_EQ(code_of(store->read_blob(blob, 100)), Code::corrupt);
  EXPECT_EQ(code_of(store->read_blob(describe("x", "other"), 100)), Code::not_found);
  ASSERT_TRUE(put(*store, "content").has_value());  // and can be mended
  EXPECT_TRUE(holds(*store, "content"));
  EXPECT_EQ(code_of(store->read_blob(blob, 6)), Code::limit);
}

TEST(Store, DoesNotTakeAPipeForABlob) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  const Descriptor blob = describe("x", "");
  ASSERT_EQ(::mkfifo(store->blob_path(blob.digest).c_str(), 0600), 0);
  EXPECT_FALSE(store->has_blob(blob.digest, 0));
  EXPECT_EQ(code_of(store->open_blob(blob)), Code::not_found);
}

TEST(Store, TagsAndFinds) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  const auto first = store->put_bytes(media_type::kOciManifest, as_bytes("1"));
  const auto second = store->put_bytes(media_type::kOciManifest, as_bytes("22"));
  ASSERT_TRUE(first.has_value() && second.has_value());
  ASSERT_TRUE(store->tag("a", *first).has_value());
  ASSERT_TRUE(store->tag("b", *first).has_value());
  ASSERT_TRUE(store->tag("a", *second).has_value());
  EXPECT_EQ((*store->find("a"))->digest, second->digest);
  EXPECT_EQ((*store->find("b"))->size, 1U);
  EXPECT_FALSE(store->find("c")->has_value());
}

TEST(Store, RefusesAnIndexOfGarbage) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  for (std::string_view garbage : {"{", "[]", R"({"manifests":7})", "\xff\xfe"}) {
    write_text(scratch / "s/index.json", garbage);
    EXPECT_EQ(code_of(store->find("a")), Code::corrupt) << garbage;
    EXPECT_EQ(code_of(store->tag("a", describe("x", ""))), Code::corrupt) << garbage;
    EXPECT_EQ(read_text(scratch / "s/index.json"), garbage);  // not made worse
  }
}

TEST(Store, MakesADirectoryForDerivedData) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  const auto path = store->derived_directory("index");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(*path, scratch / "s/cloister/index");
  EXPECT_TRUE(fs::is_directory(*path));
}

// --- several threads, several processes, and a kill at any moment ---

TEST(StoreShared, TakesOneBlobFromManyThreads) {
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  const std::string content(3 << 20, 'y');
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] { done += put(*store, content).has_value() ? 1 : 0; });
  }
  EXPECT_EQ(done, 8);
  EXPECT_TRUE(holds(*store, content));
  EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 0U);
}

// Runs `work` in `count` child processes; true when every one of them answered true.
template <class Work>
bool in_processes(int count, const Work& work) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work(i) ? 0 : 1);
    children.push_back(child);
  }
  bool ok = true;
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  return ok;
}

TEST(StoreShared, TakesBlobsAndTagsFromManyProcesses) {
  const ScratchDirectory scratch;
  const std::string content(2 << 20, 'z');
  // The processes create the store together, too.
  EXPECT_TRUE(in_processes(6, [&](int process) {
    auto store = Store::open(scratch / "s");
    if (!store.has_value() || !put(*store, content).has_value()) return false;
    for (int i = 0; i < 10; ++i)
      if (!store->tag(cat("p", process, "-", i), describe(media_type::kOciManifest, content))
               .has_value())
        return false;
    return true;
  }));
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  EXPECT_TRUE(holds(*store, content));
  for (int process = 0; process < 6; ++process)
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(store->find(cat("p", process, "-", i))->has_value());
  EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 0U);
}

// Gives bytes without end; after a few pieces it says so through a pipe, for the parent to strike.
class EndlessSource final : public Source {
 public:
  explicit EndlessSource(int report) : report_(report) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    if (++reads_ == 4 && ::write(report_, "x", 1) != 1) return Error::io("no parent");
    return out.size();
  }

 private:
  int report_, reads_ = 0;
};

// Answers once the child is in the middle of a blob.
pid_t child_in_the_middle_of_a_blob(const fs::path& directory) {
  int ends[2];
  if (::pipe(ends) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    auto store = Store::open(directory);
    if (!store.has_value()) ::_exit(1);
    Descriptor endless = describe("x", "endless");
    endless.size = UINT64_MAX;
    EndlessSource source(ends[1]);
    std::size_t pieces = 0;
    // Slow after the report, so that the disk is not filled while nobody strikes.
    (void)store->put_blob(endless, source, [&](std::size_t) {
      if (++pieces > 4) ::usleep(100'000);
    });
    ::_exit(2);
  }
  char byte = 0;
  const bool reported = ::read(ends[0], &byte, 1) == 1;
  ::close(ends[0]);
  ::close(ends[1]);
  return reported ? child : -1;
}

TEST(StoreShared, SurvivesAKillInTheMiddleOfABlob) {
  const ScratchDirectory scratch;
  auto bystander = Store::open(scratch / "s");
  ASSERT_TRUE(bystander.has_value());
  const pid_t child = child_in_the_middle_of_a_blob(scratch / "s");
  ASSERT_GT(child, 0);
  EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 1U);
  // While somebody else has the store open, nobody's temporary files are touched…
  ASSERT_TRUE(Store::open(scratch / "s").has_value());
  EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 1U);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(count_files(scratch / "s/blobs/sha256"), 0U);
  ASSERT_TRUE(Store::open(scratch / "s").has_value());
  EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 1U);
  // …and whoever has it alone cleans up.
  { const Store gone = std::move(*bystander); }
  auto alone = Store::open(scratch / "s");
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 0U);
  EXPECT_TRUE(put(*alone, "content").has_value());
}

TEST(StoreShared, IsReadableBySkopeo) {
  if (!have_program("skopeo")) GTEST_SKIP() << "skopeo is not installed";
  const ScratchDirectory scratch;
  auto store = Store::open(scratch / "s");
  ASSERT_TRUE(store.has_value());
  const TestImage image = make_image();
  MemoryTransport transport(image);
  TestContext context;
  const auto ref = parse_image_ref("localhost:5000/team/app:1");
  ASSERT_TRUE(ref.has_value());
  const auto resolved = resolve_image(*ref, transport, *store, context.fetch());
  ASSERT_TRUE(resolved.has_value());
  ASSERT_TRUE(fetch_layers(*resolved, transport, *store, context.fetch()).has_value());
  ASSERT_TRUE(store->tag(ref->str(), resolved->manifest_descriptor).has_value());
  const std::string name = cat("oci:", (scratch / "s").native(), ":", ref->str());
  EXPECT_EQ(std::system(cat("skopeo inspect ", name, " >/dev/null").c_str()), 0);
  EXPECT_EQ(
      std::system(cat("skopeo --insecure-policy copy -q ", name, " dir:", (scratch / "d").native())
                      .c_str()),
      0);
}

}  // namespace
}  // namespace cloister::oci
