// Docker and the containers tools agree on the layout and on the trap: a CA must end in .crt, and a
// .cert is always one half of a pair.
#include "oci/registry/certificates.h"

#include <algorithm>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace cloister::oci {
namespace {

constexpr std::uint64_t kMaxPem = 1 << 20;
constexpr std::size_t kMaxCertificateFiles = 256;

Result<std::vector<fs::path>> files_of(const fs::path& directory) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    out.push_back(it->path());
    if (out.size() > kMaxCertificateFiles)
      return Error::limit(
          cat(quote(directory.native()), " holds more than ", kMaxCertificateFiles, " files"));
  }
  if (error)
    return Error::io_errno(cat("cannot list ", quote(directory.native())), error.value())
        .hint("make it readable, or remove it");
  std::sort(out.begin(), out.end());
  return out;
}

Result<http::HostTls> read_directory(const fs::path& directory) {
  http::HostTls out;
  CL_TRY(const auto files, files_of(directory));
  for (const fs::path& file : files) {
    const std::string extension = file.extension();
    if (extension == ".crt") {
      CL_TRY(const std::string pem, read_text_file(file, kMaxPem));
      out.ca_pem += pem + "\n";
    }
    const bool is_cert = extension == ".cert", is_key = extension == ".key";
    if (!is_cert && !is_key) continue;
    fs::path other = file;
    other.replace_extension(is_cert ? ".key" : ".cert");
    std::error_code error;
    if (!fs::exists(other, error))
      return Error::invalid(cat(quote(file.native()), " lacks its other half, ",
                                quote(other.filename().native())))
          .hint("a client certificate is NAME.cert with NAME.key; a CA ends in .crt");
    if (!is_cert || !out.client_certificate.empty()) continue;
    out.client_certificate = file;
    out.client_key = other;
  }
  return out;
}

}  // namespace

Result<http::HostTls> find_certificates(const std::vector<std::string>& directories,
                                        const http::Url& host) {
  // A default port may be written out.
  const std::string with_port = cat(host.host, ":", host.port.empty() ? "443" : host.port);
  for (const std::string& directory : directories)
    for (const std::string& name : {host.authority(), with_port}) {
      std::error_code error;
      const fs::path path = fs::path(directory) / name;
      if (fs::is_directory(path, error))
        return read_directory(path).while_(
            cat("reading the certificates of ", quote(host.authority())));
    }
  return http::HostTls{};
}

}  // namespace cloister::oci
