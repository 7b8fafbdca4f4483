#include "http/given_reason.hpp"

#include "http/server/json_reader.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t reason_bytes_max = 300;

}  // namespace

std::string given_reason(const request& req, std::vector<field_error>& errors) {
  const auto body = parse_json(req.body, errors);
  object_reader read(body, errors);
  std::string reason = read.required_string("reason", reason_bytes_max);
  read.finish();
  return reason;
}

}  // namespace omnicart::http
