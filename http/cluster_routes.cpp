#include "http/cluster_routes.hpp"

#include <httplib.h>

#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "http/operator_answers.hpp"
#include "http/server/json_reader.hpp"
#include "http/server/problem.hpp"

namespace omnicart::http {
namespace {

using json = nlohmann::ordered_json;
namespace record = cluster_record;

constexpr std::chrono::seconds record_patience{15};
constexpr int looks_max = 20;
constexpr std::chrono::milliseconds look_again_after{25};
constexpr std::size_t node_text_bytes_max = record::name_bytes_max;

// One call: its body, what is wrong with it, and what was asked for in words.
class call {
 public:
  call(const std::string& text, const cluster_report& of) : of_(of), body_(parse_json(text, errors_)), read_(body_, errors_) {}

  object_reader& read() { return read_; }
  record::cause by() {
    return {.who = read_.required_string("who", record::text_bytes_max),
            .why = read_.optional_string("why", record::text_bytes_max).value_or("")};
  }
  // 0 and a refusal when the cluster has no such node.
  record::node_id node(std::string_view member) {
    const std::string text = read_.required_string(member, node_text_bytes_max);
    const auto* found = find_node(of_, text);
    if (found) return found->what.id;
    if (errors_.empty() && !refusal_) refusal_ = make_error(record::errc::no_such_node, "there is no node " + text);
    return 0;
  }
  std::string name(record::node_id id) const {
    const auto* found = find_node(of_, std::to_string(id));
    return "node " + std::to_string(id) + (found ? " (" + found->what.name + ')' : "");
  }
  const cluster_report& report() const { return of_; }
  // It is a sound call, but not one that may be obeyed now.
  void refuse(error why) {
    if (!refusal_) refusal_ = std::move(why);
  }

  // Sees to what is wrong; false when it has answered.
  bool is_sound(httplib::Response& out) {
    read_.finish();
    if (!errors_.empty()) {
      const response shown = invalid_body_response(std::move(errors_), "");
      out.status = shown.status;
      out.set_content(shown.body, std::string(shown.content_type).c_str());
      return false;
    }
    if (refusal_) answer_failure(out, *refusal_);
    return !refusal_;
  }

 private:
  const cluster_report& of_;
  std::vector<field_error> errors_;
  std::optional<json_value> body_;
  object_reader read_;
  std::optional<error> refusal_;
};

// What to tell the record, and what to tell the operator once it is done.
struct wish {
  record::command command;
  std::string done;
  bool rests_on_report = false;  // void when the record has changed since
};
using reader = wish (*)(call&);

wish read_join(call& of) {
  record::node who;
  who.id = static_cast<record::node_id>(of.read().required_int("id", 1, UINT16_MAX));
  who.name = of.read().required_string("name", record::name_bytes_max);
  who.link = of.read().required_string("link", record::address_bytes_max);
  who.http = of.read().optional_string("http", record::address_bytes_max).value_or("");
  who.operators = of.read().optional_string("operators", record::address_bytes_max).value_or("");
  const std::string done = "node " + std::to_string(who.id) + " (" + who.name + ") may join at " + who.link;
  return {record::join{.who = std::move(who), .by = of.by()}, done};
}
wish read_drain(call& of) {
  const auto id = of.node("node");
  return {record::drain{.id = id, .by = of.by()}, of.name(id) + " is draining"};
}
wish read_resume(call& of) {
  const auto id = of.node("node");
  return {record::resume{.id = id, .by = of.by()}, of.name(id) + " is active"};
}
// Standbys are no obstacle: they leave once the node is no part of the cluster. Whether the others are enough the
// record reckons by the voters that it wants; of those there are it refuses each, unless forced.
wish read_remove(call& of) {
  const auto id = of.node("node");
  const bool force = of.read().optional_bool("force").value_or(false);
  auto voting = shards_voting(of.report(), id);
  if (force || voting.empty()) {
    auto why = needed_by_voters(of.report(), id);
    if (!why.empty()) of.refuse(make_error(record::errc::no_majority, std::move(why)));
  }
  return {record::remove{.id = id,
                         .force = force,
                         .still_member = std::move(voting),
                         .by = of.by(),
                         .unreachable = unreachable_nodes(of.report())},
          of.name(id) + " is removed", true};
}
wish read_replace(call& of) {
  const auto old_node = of.node("node");
  const auto new_node = of.node("by");
  return {record::replace{.old_node = old_node, .new_node = new_node, .by = of.by()},
          of.name(new_node) + " takes the place of " + of.name(old_node)};
}
wish read_transfer(call& of) {
  const auto shard = static_cast<std::uint16_t>(of.read().required_int("shard", 0, UINT16_MAX));
  const auto to = of.node("node");
  return {record::transfer{.shard = shard, .to = to, .by = of.by()},
          of.name(to) + " is to lead shard " + std::to_string(shard)};
}
wish read_rebalance(call& of) {
  return {record::rebalance{.by = of.by()}, "leaders are spread evenly again"};
}
wish read_rotate_key(call& of) {
  const bool distrust = of.read().optional_bool("distrust_others").value_or(false);
  return {record::rotate_key{.key = {}, .by = of.by(), .distrust_others = distrust},
          std::string("another key signs in a minute") +
              (distrust ? "; what others made is refused from then on, and everybody signs in again" : "")};
}
wish read_configure(call& of) {
  record::settings wanted = of.report().settings;
  const auto set = [&](const char* member, std::uint32_t& value) {
    if (const auto given = of.read().optional_int(member, 0, UINT32_MAX)) value = static_cast<std::uint32_t>(*given);
  };
  set("replicas", wanted.replicas);
  set("moves_max", wanted.moves_max);
  return {record::configure{.settings = wanted, .by = of.by()},
          std::to_string(wanted.replicas) + " replicas, " + std::to_string(wanted.moves_max) + " moves at a time", true};
}

status wait_for(const std::function<void(cluster_desk::done_fn)>& start) {
  auto promised = std::make_shared<std::promise<status>>();
  auto got = promised->get_future();
  start([promised](status how) { promised->set_value(std::move(how)); });
  if (got.wait_for(record_patience) != std::future_status::ready) return fail(base_errc::timeout);
  return got.get();
}

// Unlike the public front, this port says why: its callers are those who can do something about it.
void answer_refusal(httplib::Response& out, const error& why) {
  if (!is_fault(why.number) || why.detail.empty()) return answer_failure(out, why);
  answer_problem(out, 503, to_string(static_cast<base_errc>(why.number)), why.detail);
}

// What rests on a report is judged anew when the record was changed meanwhile; this node hears of that within a heartbeat.
void obey(cluster_desk& desk, reader read, const httplib::Request& in, httplib::Response& out) {
  for (int look = 1;; ++look) {
    const cluster_report report = desk.report();
    call of(in.body, report);
    wish what = read(of);
    if (!of.is_sound(out)) return;
    const auto version = what.rests_on_report ? std::optional(report.record_version) : std::nullopt;
    const auto done = wait_for([&](auto then) { desk.submit(std::move(what.command), version, std::move(then)); });
    if (done) return answer_json(out, 200, json{{"done", what.done}}.dump());
    if (!done.error().is(base_errc::precondition_failed)) return answer_refusal(out, done.error());
    if (look == looks_max)
      return answer_refusal(out, make_error(base_errc::precondition_failed, "the cluster's record changes all the time, or this node has not heard of its last change: try again, or ask another node"));
    std::this_thread::sleep_for(look_again_after);
  }
}

void answer_hashes(cluster_desk& desk, httplib::Response& out) {
  const auto found = desk.hashes();
  if (!found) return answer_refusal(out, found.error());
  answer_json(out, 200, to_json(desk.report().self, *found));
}

void init(cluster_desk& desk, httplib::Response& out) {
  const bool was_founded = !desk.report().cluster.empty();
  if (!was_founded) {
    const auto done = wait_for([&](auto then) { desk.found(std::move(then)); });
    if (!done) return answer_refusal(out, done.error());
  }
  answer_json(out, 200, json{{"cluster", desk.report().cluster}, {"founded", !was_founded}}.dump());
}

}  // namespace

void cluster_routes::add_to(httplib::Server& server, const std::function<handler(handler)>& guard) {
  const auto with_desk = [&](std::function<void(cluster_desk&, const httplib::Request&, httplib::Response&)> what) {
    return guard([this, what = std::move(what)](const httplib::Request& in, httplib::Response& out) {
      if (desk_ == nullptr)
        return answer_problem(out, 409, "no_cluster", "this node runs alone, without what makes a cluster");
      what(*desk_, in, out);
    });
  };
  server.Get("/cluster", with_desk([](cluster_desk& desk, const httplib::Request&, httplib::Response& out) {
               answer_json(out, 200, to_json(desk.report()));
             }));
  server.Get("/cluster/hashes", with_desk([](cluster_desk& desk, const httplib::Request&, httplib::Response& out) {
               answer_hashes(desk, out);
             }));
  server.Post("/cluster/init", with_desk([](cluster_desk& desk, const httplib::Request&, httplib::Response& out) {
                init(desk, out);
              }));
  constexpr std::pair<const char*, reader> commands[] = {
      {"join", read_join},         {"drain", read_drain},       {"resume", read_resume},
      {"remove", read_remove},     {"replace", read_replace},   {"transfer", read_transfer},
      {"rebalance", read_rebalance}, {"configure", read_configure},
      {"rotate-key", read_rotate_key},
  };
  for (const auto& [name, read] : commands) {
    server.Post("/cluster/" + std::string(name),
                with_desk([read = read](cluster_desk& desk, const httplib::Request& in, httplib::Response& out) {
                  obey(desk, read, in, out);
                }));
  }
}

}  // namespace omnicart::http
