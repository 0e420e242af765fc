// Names are bytes, JSON is Unicode: a name that is not UTF-8 stands escaped for people, with its
// bytes as base64 beside it under the same key and "Base64". In lists, which have no keys, such a
// text is an object {"text", "base64"}. Where both are read, the escaped form must be that of the
// bytes: no two readers of a document understand it differently.
#include "manifest-gen/rehearse/run_json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "base/text.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {
namespace {

constexpr std::int64_t kRunSchema = 1;

struct PeakField {
  const char* key;
  std::uint64_t ProcessPeaks::*value;
};
constexpr PeakField kPeakFields[] = {
    {"processes", &ProcessPeaks::processes},
    {"residentBytes", &ProcessPeaks::resident_bytes},
    {"virtualBytes", &ProcessPeaks::virtual_bytes},
    {"heapBytes", &ProcessPeaks::heap_bytes},
    {"dataBytes", &ProcessPeaks::data_bytes},
    {"stackBytes", &ProcessPeaks::stack_bytes},
    {"threads", &ProcessPeaks::threads},
    {"descriptors", &ProcessPeaks::descriptors},
};

struct CountField {
  const char* key;
  std::uint64_t UseCount::*value;
};
constexpr CountField kCountFields[] = {
    {"done", &UseCount::done}, {"refused", &UseCount::refused}, {"absent", &UseCount::absent}};

struct TypeName {
  const char* name;
  ObservedType type;
};
constexpr TypeName kTypeNames[] = {{"file", ObservedType::regular},
                                   {"dir", ObservedType::directory},
                                   {"other", ObservedType::other}};

// --- Writing
// --------------------------------------------------------------------------------------

void put_name(OrderedJson& json, const std::string& key, const std::string& value) {
  const bool utf8 = is_utf8(value);
  json[key] = utf8 ? value : printable(value);
  if (!utf8) json[key + "Base64"] = base64(as_bytes(value));
}

OrderedJson text_item(const std::string& value) {
  if (is_utf8(value)) return value;
  OrderedJson item;
  item["text"] = printable(value);
  item["base64"] = base64(as_bytes(value));
  return item;
}

template <class Range>
OrderedJson text_items(const Range& values) {
  OrderedJson list = OrderedJson::array();
  for (const std::string& value : values) list.push_back(text_item(value));
  return list;
}

void put_count(OrderedJson& json, const char* key, std::uint64_t value) {
  if (value > 0) json[key] = value;
}

OrderedJson path_item(const std::string& path, const PathUse& use) {
  OrderedJson json;
  put_name(json, "path", path);
  OrderedJson uses = OrderedJson::object();
  for (std::size_t i = 0; i < kFileUses; ++i) {
    OrderedJson counts = OrderedJson::object();
    for (const CountField& field : kCountFields)
      put_count(counts, field.key, use.uses[i].*field.value);
    if (!counts.empty())
      uses[std::string(file_use_name(static_cast<FileUse>(i)))] = std::move(counts);
  }
  json["uses"] = std::move(uses);
  if (!use.real.empty()) put_name(json, "real", use.real);
  if (!use.spelled.empty()) put_name(json, "spelled", use.spelled);
  for (const TypeName& row : kTypeNames)
    if (row.type == use.type) json["type"] = row.name;
  if (!use.programs.empty()) json["programs"] = text_items(use.programs);
  return json;
}

// A member whose value is a list with one element a line: greppable, and no copy of it in memory.
template <class Range, class ToJson>
void put_lines(std::string& out, std::string_view key, const Range& range, ToJson to_json) {
  out += cat(",\n\"", key, "\":[");
  bool first = true;
  for (const auto& [item, value] : range) {
    out += first ? "\n" : ",\n";
    out += dump_json(to_json(item, value));
    first = false;
  }
  out += "]";
}

void put_member(std::string& out, std::string_view key, const OrderedJson& value) {
  out += cat(",\n\"", key, "\":", dump_json(value));
}

// --- Reading
// --------------------------------------------------------------------------------------

Error wrong_run(std::string_view what) {
  return Error::corrupt(std::string(what)).hint("run the rehearsal again with this version");
}

Result<std::uint64_t> count_at(const Json& json, std::string_view key) {
  CL_TRY(const auto value, get_int(json, key));
  if (value.value_or(0) < 0) return wrong_run(cat("'", key, "' is negative"));
  return static_cast<std::uint64_t>(value.value_or(0));
}

Result<std::string> named_bytes(std::string text, const std::optional<std::string>& encoded) {
  if (!encoded) return text;
  const auto bytes = unbase64(*encoded);
  if (!bytes) return wrong_run("a name is no base64");
  std::string out(as_text(*bytes));
  if (is_utf8(out) || printable(out) != text)
    return wrong_run(cat("a name differs from its base64: ", quote(text)));
  return out;
}

Result<std::string> name_at(const Json& json, const std::string& key, const Limits& limits) {
  CL_TRY(auto text, get_string(json, key));
  CL_TRY(const auto encoded, get_string(json, key + "Base64"));
  CL_TRY(std::string out, named_bytes(std::move(text).value_or(""), encoded));
  if (out.size() > limits.path_bytes) return Error::limit(cat("'", key, "' is too long"));
  return out;
}

Result<std::string> listed_text(const Json& item) {
  if (item.is_string()) return item.get<std::string>();
  if (!item.is_object()) return wrong_run("a list has an element that is no text");
  CL_TRY(auto text, get_string(item, "text"));
  CL_TRY(const auto encoded, get_string(item, "base64"));
  return named_bytes(std::move(text).value_or(""), encoded);
}

Result<std::vector<std::string>> texts_at(const Json& json, std::string_view key) {
  std::vector<std::string> out;
  CL_TRY(const Json* const list, get_array(json, key));
  if (list == nullptr) return out;
  for (const Json& item : *list) {
    CL_TRY(std::string text, listed_text(item));
    out.push_back(std::move(text));
  }
  return out;
}

bool is_normal(const std::string& path) {
  return path.starts_with('/') && path.find('\0') == std::string::npos &&
         measure::normalize_path(path) == path;
}

Result<PathUse> path_use_of(const Json& json, const Limits& limits) {
  PathUse out;
  CL_TRY(const Json* const uses, get_object(json, "uses"));
  if (uses != nullptr)
    for (const auto& item : uses->items()) {
      const auto use = parse_file_use(item.key());
      if (!use || !item.value().is_object())
        return wrong_run(cat("unknown use of a path: ", quote(item.key())));
      for (const CountField& field : kCountFields) {
        CL_TRY(out.of(*use).*field.value, count_at(item.value(), field.key));
      }
    }
  CL_TRY(out.real, name_at(json, "real", limits));
  if (!out.real.empty() && !is_normal(out.real))
    return wrong_run(cat("no absolute, normal path: ", quote(out.real)));
  CL_TRY(out.spelled, name_at(json, "spelled", limits));
  CL_TRY(const auto type, get_string(json, "type"));
  for (const TypeName& row : kTypeNames)
    if (type == row.name) out.type = row.type;
  if (type && out.type == ObservedType::unknown)
    return wrong_run(cat("unknown type: ", quote(*type)));
  CL_TRY(const auto programs, texts_at(json, "programs"));
  out.programs.insert(programs.begin(), programs.end());
  return out;
}

// Calls `read` with each element of a list; more than `limit` are too many.
template <class Read>
Status each_item(const Json& json, std::string_view key, std::size_t limit, Read read) {
  CL_TRY(const Json* const list, get_array(json, key));
  if (list == nullptr) return {};
  if (list->size() > limit)
    return Error::limit(cat("'", key, "' has ", list->size(), " elements, limit ", limit));
  for (const Json& item : *list) {
    if (!item.is_object()) return wrong_run(cat("'", key, "' has an element that is no object"));
    CL_CHECK(read(item));
  }
  return {};
}

Status read_lists(const Json& json, const Limits& limits, ObservedRun& run) {
  CL_CHECK(each_item(json, "paths", limits.observed_paths, [&](const Json& item) -> Status {
    CL_TRY(std::string path, name_at(item, "path", limits));
    if (!is_normal(path)) return wrong_run(cat("no absolute, normal path: ", quote(path)));
    CL_TRY(PathUse use, path_use_of(item, limits));
    if (!run.paths.emplace(path, std::move(use)).second)
      return wrong_run(cat("a path is listed twice: ", quote(path)));
    return {};
  }));
  CL_CHECK(each_item(json, "sockets", limits.observed_names, [&](const Json& item) -> Status {
    SocketUse socket;
    CL_TRY(socket.family, name_at(item, "family", limits));
    CL_TRY(socket.action, name_at(item, "action", limits));
    CL_TRY(socket.address, name_at(item, "address", limits));
    CL_TRY(run.sockets[socket], count_at(item, "count"));
    return {};
  }));
  CL_CHECK(each_item(json, "programs", limits.observed_names, [&](const Json& item) -> Status {
    CL_TRY(const std::string path, name_at(item, "path", limits));
    ProcessPeaks& peaks = run.programs[path];
    for (const PeakField& field : kPeakFields) {
      CL_TRY(peaks.*field.value, count_at(item, field.key));
    }
    return {};
  }));
  CL_CHECK(each_item(json, "calls", limits.observed_names, [&](const Json& item) -> Status {
    CallKey key;
    CL_TRY(key.name, name_at(item, "name", limits));
    CL_TRY(key.object, name_at(item, "object", limits));
    CL_TRY(run.calls[key], count_at(item, "count"));
    return {};
  }));
  return each_item(json, "unimplemented", limits.observed_names, [&](const Json& item) -> Status {
    CL_TRY(const std::string name, name_at(item, "name", limits));
    CL_TRY(run.unimplemented[name], count_at(item, "count"));
    return {};
  });
}

Result<std::optional<int>> small_at(const Json& json, std::string_view key) {
  CL_TRY(const auto value, get_int(json, key));
  if (!value) return std::optional<int>();
  if (*value < 0 || *value > 255) return wrong_run(cat("'", key, "' is none"));
  return std::optional<int>(static_cast<int>(*value));
}

Result<ObservedRun> run_of(const Json& json, const Limits& limits) {
  CL_TRY(const auto schema, get_int(json, "schemaVersion"));
  if (!schema) return wrong_run("'schemaVersion' is missing");
  if (*schema != kRunSchema)
    return Error::unsupported(cat("schema version ", *schema, " of a run is not known"))
        .detail(cat("got ", *schema, ", want ", kRunSchema))
        .hint("run the rehearsal again with this version");
  ObservedRun run;
  CL_TRY(run.source, name_at(json, "source", limits));
  CL_TRY(run.command, texts_at(json, "command"));
  CL_CHECK(read_lists(json, limits, run));
  CL_TRY(run.forks, count_at(json, "forks"));
  CL_TRY(run.threads, count_at(json, "threads"));
  CL_TRY(run.executions, count_at(json, "executions"));
  CL_TRY(run.peak_processes, count_at(json, "peakProcesses"));
  CL_TRY(run.requests, count_at(json, "requests"));
  CL_TRY(const auto profiled, get_bool(json, "profiled"));
  CL_TRY(const auto learning, get_bool(json, "learning"));
  run.profiled = profiled.value_or(false);
  run.learning = learning.value_or(false);
  if (const auto seconds = json.find("seconds"); seconds != json.end()) {
    if (!seconds->is_number() || seconds->get<double>() < 0)
      return wrong_run("'seconds' is no length of time");
    run.seconds = seconds->get<double>();
  }
  CL_TRY(run.exit_status, small_at(json, "exitStatus"));
  CL_TRY(run.exit_signal, small_at(json, "exitSignal"));
  CL_TRY(const auto stand_ins, texts_at(json, "standIns"));
  run.stand_ins.insert(stand_ins.begin(), stand_ins.end());
  CL_TRY(auto isolation, get_string(json, "isolation"));
  run.isolation = std::move(isolation).value_or("");
  CL_TRY(run.notes, texts_at(json, "notes"));
  return run;
}

}  // namespace

std::string run_json(const ObservedRun& run) {
  std::string out = cat("{\"schemaVersion\":", kRunSchema);
  put_member(out, "source", run.source);
  if (!run.command.empty()) put_member(out, "command", text_items(run.command));
  put_lines(out, "paths", run.paths, path_item);
  put_lines(out, "sockets", run.sockets, [](const SocketUse& socket, std::uint64_t count) {
    OrderedJson json;
    put_name(json, "family", socket.family);
    put_name(json, "action", socket.action);
    if (!socket.address.empty()) put_name(json, "address", socket.address);
    json["count"] = count;
    return json;
  });
  put_lines(out, "programs", run.programs, [](const std::string& path, const ProcessPeaks& peaks) {
    OrderedJson json;
    put_name(json, "path", path);
    for (const PeakField& field : kPeakFields) put_count(json, field.key, peaks.*field.value);
    return json;
  });
  put_lines(out, "calls", run.calls, [](const CallKey& key, std::uint64_t count) {
    OrderedJson json;
    put_name(json, "name", key.name);
    if (!key.object.empty()) put_name(json, "object", key.object);
    json["count"] = count;
    return json;
  });
  put_lines(out, "unimplemented", run.unimplemented,
            [](const std::string& name, std::uint64_t count) {
              OrderedJson json;
              put_name(json, "name", name);
              json["count"] = count;
              return json;
            });
  put_member(out, "forks", run.forks);
  put_member(out, "threads", run.threads);
  put_member(out, "executions", run.executions);
  put_member(out, "peakProcesses", run.peak_processes);
  put_member(out, "profiled", run.profiled);
  put_member(out, "learning", run.learning);
  put_member(out, "seconds", run.seconds);
  put_member(out, "requests", run.requests);
  if (run.exit_status) put_member(out, "exitStatus", *run.exit_status);
  if (run.exit_signal) put_member(out, "exitSignal", *run.exit_signal);
  if (!run.stand_ins.empty()) put_member(out, "standIns", text_items(run.stand_ins));
  if (!run.isolation.empty()) put_member(out, "isolation", run.isolation);
  put_member(out, "notes", text_items(run.notes));
  return out + "\n}\n";
}

Result<ObservedRun> parse_run_json(std::string_view text, const Limits& limits,
                                   std::string_view what) {
  if (text.size() > limits.run_bytes)
    return Error::limit(cat(what, " is larger than the limit of ", human_bytes(limits.run_bytes)));
  CL_TRY(const Json document, parse_json(text, limits, what));
  const Json* json = &document;
  if (document.is_object())
    if (const auto inner = document.find("run"); inner != document.end() && inner->is_object())
      json = &*inner;
  if (!json->is_object()) return wrong_run(cat(what, " is no object"));
  return run_of(*json, limits).while_(cat("reading ", what));
}

}  // namespace cloister::manifest
