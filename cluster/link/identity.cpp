#include "cluster/link/identity.hpp"

#include <openssl/err.h>

#include <charconv>

#include "cluster/link/hello.hpp"
#include "cluster/link/openssl_ptr.hpp"

namespace omnicart::cluster {
namespace {

constexpr std::string_view scheme = "omnicart:";
constexpr std::string_view node_part = "/node/";

std::string_view text_of(const ASN1_IA5STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

}  // namespace

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown error";
}

std::string to_uri(const identity& who) {
  std::string uri = std::string(scheme) + who.cluster;
  if (who.node != no_node) uri += std::string(node_part) + std::to_string(who.node);
  return uri;
}

std::optional<identity> parse_identity(std::string_view uri) {
  if (!uri.starts_with(scheme)) return std::nullopt;
  const std::string_view name = uri.substr(scheme.size());
  const auto slash = name.find(node_part);
  identity who;
  who.cluster = name.substr(0, slash);
  if (slash != name.npos) {
    const std::string_view number = name.substr(slash + node_part.size());
    std::from_chars(number.data(), number.data() + number.size(), who.node);
  }
  const bool exact = is_cluster_id(who.cluster) && to_uri(who) == uri;
  return exact ? std::optional(who) : std::nullopt;
}

std::optional<identity> identity_of(const X509& certificate) {
  const names_ptr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::optional<identity> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const std::string_view uri = text_of(name->d.uniformResourceIdentifier);
    if (!uri.starts_with(scheme)) continue;
    const bool another = found.has_value();
    found = parse_identity(uri);
    if (another || !found) return std::nullopt;
  }
  return found;
}

}  // namespace omnicart::cluster
