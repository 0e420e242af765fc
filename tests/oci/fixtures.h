// What the tests of store, sources and destinations share: scratch directories, small images, and a
// transport that serves them from memory.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "base/thread_pool.h"
#include "oci/source/transport.h"
#include "oci/store/store.h"
#include "oci/write/destinations.h"

namespace cloister::oci {

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (fs::temp_directory_path() / "cloister-test-XXXXXX").native();
    path_ = ::mkdtemp(name.data());
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path operator/(std::string_view name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline void write_text(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_text(const fs::path& path) {
  auto text = read_text_file(path, 1 << 30);
  return text.has_value() ? *text : "error: " + text.error().what();
}

inline Descriptor describe(std::string_view media_type, std::string_view content) {
  Descriptor d;
  d.media_type = media_type;
  d.digest = sha256(content);
  d.size = content.size();
  return d;
}

// An image whose layers are any bytes: nothing below measure/ looks into them.
struct TestImage {
  RawManifest manifest;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<Digest, std::string> blobs;  // manifest, config, layers

  Descriptor add(std::string_view media_type, std::string content) {
    Descriptor d = describe(media_type, content);
    blobs[d.digest] = std::move(content);
    return d;
  }
};

struct ImageOptions {
  std::vector<std::string> layers = {"layer one", "layer two", "layer three"};
  std::string os = "linux", architecture = "amd64";
  std::string layer_type = std::string(media_type::kOciLayerGzip);
  std::string config_type = std::string(media_type::kOciConfig);
  std::size_t missing_diff_ids = 0;
};

inline TestImage make_image(const ImageOptions& options = {}) {
  TestImage image;
  std::string diff_ids;
  for (std::size_t i = 0; i + options.missing_diff_ids < options.layers.size(); ++i)
    diff_ids += cat(i > 0 ? "," : "", "\"", sha256("tar of " + options.layers[i]).str(), "\"");
  image.config = image.add(
      options.config_type,
      cat(R"({"os":")", options.os, R"(","architecture":")", options.architecture,
          R"(","config":{"Entrypoint":["/start"]},"rootfs":{"type":"layers","diff_ids":[)",
          diff_ids, "]}}"));
  for (const std::string& layer : options.layers)
    image.layers.push_back(image.add(options.layer_type, layer));
  ImageManifest manifest;
  manifest.media_type = media_type::kOciManifest;
  manifest.config = image.config;
  manifest.layers = image.layers;
  image.manifest.text = write_image_manifest(manifest);
  image.manifest.descriptor = image.add(media_type::kOciManifest, image.manifest.text);
  return image;
}

// An index over descriptors, as text.
inline std::string make_index(const std::vector<Descriptor>& manifests) {
  std::string entries;
  for (const Descriptor& m : manifests) {
    entries += cat(entries.empty() ? "" : ",", R"({"mediaType":")", m.media_type, R"(","digest":")",
                   m.digest.str(), R"(","size":)", m.size);
    if (m.platform)
      entries += cat(R"(,"platform":{"os":")", m.platform->os, R"(","architecture":")",
                     m.platform->architecture, "\"}");
    if (!m.annotations.empty())
      entries += cat(R"(,"annotations":{")", m.annotations.begin()->first, R"(":")",
                     m.annotations.begin()->second, "\"}");
    entries += "}";
  }
  return cat(R"({"schemaVersion":2,"mediaType":")", media_type::kOciIndex, R"(","manifests":[)",
             entries, "]}");
}

// A layout on disk with one image under one name.
inline void write_test_layout(const fs::path& directory, const TestImage& image,
                              const std::string& name) {
  fs::create_directories(directory / "blobs" / "sha256");
  write_text(directory / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  for (const auto& [digest, content] : image.blobs)
    write_text(directory / "blobs" / "sha256" / digest.hex(), content);
  Descriptor entry = image.manifest.descriptor;
  if (!name.empty()) entry.annotations["org.opencontainers.image.ref.name"] = name;
  write_text(directory / "index.json", make_index({entry}));
}

class OwnedSource final : public Source {
 public:
  explicit OwnedSource(std::string text) : text_(std::move(text)), inner_(as_bytes(text_)) {}
  Result<std::size_t> read(std::span<std::byte> out) override { return inner_.read(out); }

 private:
  std::string text_;
  MemorySource inner_;
};

class MemoryTransport final : public ImageTransport {
 public:
  explicit MemoryTransport(const TestImage& image)
      : root_manifest(image.manifest), blobs(image.blobs) {}
  Result<RawManifest> root() override {
    ++requests;
    return RawManifest{root_manifest.descriptor, root_manifest.text};
  }
  Result<RawManifest> manifest(const Descriptor& descriptor) override {
    ++requests;
    const auto it = blobs.find(descriptor.digest);
    if (it == blobs.end()) return Error::not_found("no such manifest");
    return RawManifest{describe(descriptor.media_type, it->second), it->second};
  }
  Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor) override {
    ++requests;
    const auto it = blobs.find(descriptor.digest);
    if (it == blobs.end()) return Error::not_found("no such blob");
    return std::make_unique<OwnedSource>(it->second);
  }

  RawManifest root_manifest;
  std::map<Digest, std::string> blobs;
  std::atomic<int> requests{0};
};

class RecordingProgress final : public Progress {
 public:
  void start(std::string_view id, std::string_view action, std::uint64_t) override {
    std::lock_guard lock(mutex_);
    actions[std::string(id)] = action;
  }
  void advance(std::string_view id, std::uint64_t bytes) override {
    std::lock_guard lock(mutex_);
    transferred[std::string(id)] += bytes;
  }
  void finish(std::string_view id, std::string_view outcome) override {
    std::lock_guard lock(mutex_);
    outcomes[std::string(id)] = outcome;
  }
  std::map<std::string, std::string> actions, outcomes;
  std::map<std::string, std::uint64_t> transferred;

 private:
  std::mutex mutex_;
};

// Everything a FetchContext and a WriteContext refer to.
struct TestContext {
  Limits limits;
  ThreadPool pool{4};
  RecordingProgress progress;
  std::atomic<bool> cancelled{false};
  FetchContext fetch() { return {limits, pool, progress, CancelToken(&cancelled)}; }
  WriteContext write() { return {limits, pool, progress, CancelToken(&cancelled)}; }
};

inline ImageContent content_of(const TestImage& image) {
  ImageContent content;
  content.manifest = image.manifest;
  content.blobs = image.layers;
  content.blobs.push_back(image.config);
  content.open = [&image](const Descriptor& d) -> Result<std::unique_ptr<Source>> {
    return std::make_unique<OwnedSource>(image.blobs.at(d.digest));
  };
  return content;
}

inline std::size_t count_files(const fs::path& directory) {
  std::size_t n = 0;
  for (const auto& entry : fs::directory_iterator(directory)) n += entry.exists() ? 1 : 0;
  return n;
}

template <class T>
Code code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Code::internal : result.error().code();
}

inline std::string trace_of(const Error& error) {
  return join(error.trace(), " | ");
}

inline bool have_program(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace cloister::oci
