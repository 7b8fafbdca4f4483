#include "cluster/link/certificate_end.hpp"

#include <openssl/x509.h>

#include <ctime>

namespace omnicart::cluster {

timestamp_ms end_of(const X509& certificate) {
  std::tm read{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &read) != 1) return {};
  return timestamp_ms(std::chrono::seconds(::timegm(&read)));
}

std::string day_of(timestamp_ms time) { return to_rfc3339(time).substr(0, 10); }

std::optional<std::string> end_warning(timestamp_ms ends, timestamp_ms now) {
  const auto left = ends - now;
  if (left >= warned_before_end) return std::nullopt;
  return left > duration_ms{0}
             ? "the certificate for links to other nodes ends soon: renew it, or they will refuse it"
             : "the certificate for links to other nodes has ended: renew it, they refuse it";
}

}  // namespace omnicart::cluster
