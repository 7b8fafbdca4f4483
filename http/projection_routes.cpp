#include "http/projection_routes.hpp"

#include <httplib.h>

#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/operator_answers.hpp"

namespace omnicart::http {
namespace {

constexpr duration_ms look_again{100};  // whether the node stops meanwhile

}  // namespace

void projection_routes::add_to(httplib::Server& server,
                               const std::function<handler(handler)>& guard) {
  server.Get("/projections",
             guard([this](const httplib::Request&, httplib::Response& out) { list(out); }));
  server.Post(R"(/projections/([^/]+)/rebuild)",
              guard([this](const httplib::Request& in, httplib::Response& out) {
                rebuild(in.matches[1], out);
              }));
}

void projection_routes::list(httplib::Response& out) const {
  nlohmann::json body = {{"items", nlohmann::json::array()}};
  for (const auto& each : desk_.list()) {
    body["items"].push_back({{"name", each.name},
                             {"lag_batches", each.lag_batches},
                             {"applied", each.applied},
                             {"queries", each.queries}});
  }
  answer_json(out, 200, body.dump());
}

void projection_routes::rebuild(const std::string& name, httplib::Response& out) const {
  const auto began = time_.monotonic();
  auto promised = std::make_shared<std::promise<status>>();
  auto made = promised->get_future();
  desk_.rebuild(name, [promised](status done) { promised->set_value(std::move(done)); });
  while (made.wait_for(look_again) != std::future_status::ready) {
    if (stopping_) return answer_failure(out, make_error(base_errc::shutting_down));
  }
  if (const auto done = made.get(); !done) return answer_failure(out, done.error());
  const nlohmann::json body = {{"name", name}, {"took_ms", (time_.monotonic() - began).count()}};
  answer_json(out, 200, body.dump());
}

}  // namespace omnicart::http
