// The order of keys matters: the first condition in force wins.
#include "manifest-gen/runtimes/node/package_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cloister::manifest::node {
namespace {

constexpr std::size_t kMaxTargets = 64, kMaxTarget = 4096;

std::string text_of(const OrderedJson& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// The strings that `target` may stand for. No recursion: documents choose their depth.
std::vector<std::string> targets(const OrderedJson& target, std::string_view star,
                                 const std::vector<std::string>& conditions) {
  std::vector<std::string> out;
  std::vector<const OrderedJson*> work{&target};
  while (!work.empty() && out.size() < kMaxTargets) {
    const OrderedJson& value = *work.back();
    work.pop_back();
    if (value.is_string()) {
      std::string text;
      for (const char c : value.get_ref<const std::string&>()) {
        if (c == '*')
          text += star;
        else
          text += c;
        if (text.size() > kMaxTarget) break;
      }
      if (text.size() <= kMaxTarget) out.push_back(std::move(text));
    } else if (value.is_array()) {
      for (auto item = value.rbegin(); item != value.rend(); ++item) work.push_back(&*item);
    } else if (value.is_object()) {
      std::vector<const OrderedJson*> met;
      for (auto item = value.begin(); item != value.end(); ++item) {
        if (item.key() == "default" ||
            std::find(conditions.begin(), conditions.end(), item.key()) != conditions.end())
          met.push_back(&*item);
      }
      work.insert(work.end(), met.rbegin(), met.rend());
    }
  }
  return out;
}

// PACKAGE_IMPORTS_EXPORTS_RESOLVE: the exact key, else the pattern with the longest beginning.
std::vector<std::string> lookup(const OrderedJson& map, std::string_view name,
                                const std::vector<std::string>& conditions) {
  const auto exact = map.find(std::string(name));
  if (exact != map.end() && name.find('*') == std::string_view::npos)
    return targets(*exact, "", conditions);
  const OrderedJson* best = nullptr;
  std::string_view star;
  std::size_t longest = 0;
  for (auto item = map.begin(); item != map.end(); ++item) {
    const std::string_view key = item.key();
    const std::size_t at = key.find('*');
    // "./features/" is the older spelling of "./features/*".
    const bool folder = at == std::string_view::npos && key.ends_with('/');
    if (at == std::string_view::npos && !folder) continue;
    const std::string_view head = folder ? key : key.substr(0, at);
    const std::string_view tail = folder ? std::string_view() : key.substr(at + 1);
    if (name.size() < head.size() + tail.size() || !name.starts_with(head) ||
        !name.ends_with(tail) || (best != nullptr && head.size() <= longest))
      continue;
    best = &*item;
    longest = head.size();
    star = name.substr(head.size(), name.size() - head.size() - tail.size());
  }
  if (best == nullptr) return {};
  std::vector<std::string> out = targets(*best, star, conditions);
  for (std::string& target : out)
    if (target.ends_with('/')) target += star;
  return out;
}

}  // namespace

Result<PackageJson> PackageJson::parse(std::string_view text, const Limits& limits) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  CL_TRY(OrderedJson document, parse_ordered_json(text, limits, "package.json"));
  if (!document.is_object()) return Error::corrupt("package.json is not an object");
  PackageJson out;
  out.name = text_of(document, "name");
  out.main = text_of(document, "main");
  out.type = text_of(document, "type");
  const auto exports = document.find("exports");
  out.has_exports = exports != document.end() && !exports->is_null();
  for (const char* key : {"dependencies", "optionalDependencies", "peerDependencies"}) {
    const auto list = document.find(key);
    if (list == document.end() || !list->is_object()) continue;
    for (auto item = list->begin(); item != list->end(); ++item)
      out.dependencies.push_back(item.key());
  }
  const auto scripts = document.find("scripts");
  if (scripts != document.end() && scripts->is_object()) {
    for (auto item = scripts->begin(); item != scripts->end(); ++item)
      if (item->is_string()) out.scripts.emplace_back(item.key(), item->get<std::string>());
  }
  out.document_ = std::make_shared<const OrderedJson>(std::move(document));
  return out;
}

std::vector<std::string> PackageJson::exports(std::string_view subpath,
                                              const std::vector<std::string>& conditions) const {
  if (document_ == nullptr || !has_exports) return {};
  const OrderedJson& map = *document_->find("exports");
  // Without keys that begin with '.' all of it is the target of ".".
  const bool subpaths = map.is_object() && !map.empty() && map.begin().key().starts_with('.');
  if (subpaths) return lookup(map, subpath, conditions);
  return subpath == "." ? targets(map, "", conditions) : std::vector<std::string>();
}

std::vector<std::string> PackageJson::imports(std::string_view key,
                                              const std::vector<std::string>& conditions) const {
  if (document_ == nullptr) return {};
  const auto map = document_->find("imports");
  if (map == document_->end() || !map->is_object()) return {};
  return lookup(*map, key, conditions);
}

}  // namespace cloister::manifest::node
