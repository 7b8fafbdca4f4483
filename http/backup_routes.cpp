#include "http/backup_routes.hpp"

#include <httplib.h>

#include <utility>
#include <vector>

#include "http/operator_answers.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/problem.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t path_bytes_max = 4'000;
constexpr std::size_t text_bytes_max = 500;
constexpr std::int64_t rate_mib_max = 100'000;
constexpr std::int64_t rate_mib_usual = 64;  // leaves a disk and a core to the shop

// Unlike the public front, this port says why.
void answer_refusal(httplib::Response& out, const error& why) {
  const auto code = static_cast<base_errc>(why.number);
  const int status = why.is(base_errc::malformed) ? 422 : is_fault(why.number) ? 503 : 409;
  answer_problem(out, why.is(base_errc::in_progress) ? 409 : status, to_string(code), why.detail);
}

void begin(backup_desk& desk, const httplib::Request& in, httplib::Response& out) {
  std::vector<field_error> errors;
  const auto body = parse_json(in.body, errors);
  object_reader read(body, errors);
  backup_desk::wish wanted;
  wanted.directory = read.required_string("to", path_bytes_max);
  wanted.who = read.required_string("who", text_bytes_max);
  wanted.why = read.optional_string("why", text_bytes_max).value_or("");
  wanted.rate_bytes_max =
      static_cast<std::uint64_t>(
          read.optional_int("rate_mib_s", 0, rate_mib_max).value_or(rate_mib_usual))
      << 20;
  read.finish();
  if (!errors.empty()) {
    const response shown = invalid_body_response(std::move(errors), "");
    out.status = shown.status;
    return out.set_content(shown.body, std::string(shown.content_type).c_str());
  }
  if (auto begun = desk.begin(std::move(wanted)); !begun) return answer_refusal(out, begun.error());
  answer_json(out, 202, desk.look());
}

}  // namespace

void backup_routes::add_to(httplib::Server& server, const std::function<handler(handler)>& guard) {
  const auto with_desk =
      [&](std::function<void(backup_desk&, const httplib::Request&, httplib::Response&)> what) {
        return guard(
            [this, what = std::move(what)](const httplib::Request& in, httplib::Response& out) {
              if (desk_ == nullptr)
                return answer_problem(out, 409, "no_backups", "this node cannot make backups");
              what(*desk_, in, out);
            });
      };
  server.Get("/backup",
             with_desk([](backup_desk& desk, const httplib::Request&, httplib::Response& out) {
               answer_json(out, 200, desk.look());
             }));
  server.Post("/backup", with_desk([](backup_desk& desk, const httplib::Request& in,
                                      httplib::Response& out) { begin(desk, in, out); }));
}

}  // namespace omnicart::http
