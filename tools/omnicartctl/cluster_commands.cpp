#include "tools/omnicartctl/cluster_commands.hpp"

#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tools/omnicartctl/cluster_report.hpp"

namespace omnicart::ctl {
namespace {

using json = nlohmann::ordered_json;
using ending = outcome<exit_code>;

constexpr duration_ms answer_within = std::chrono::seconds(30);
constexpr duration_ms hashes_within = std::chrono::minutes(30);  // the whole store is read

// The object that an answer is.
outcome<json> object_in(const std::string& body, const operator_client& node) {
  auto answer = json::parse(body, nullptr, false);
  if (answer.is_object()) return answer;
  return fail_with(exit_code::unreachable,
                   node.url() + ": an answer that is no JSON object; is this the node's operator port?");
}

outcome<json> ask(operator_client& node) {
  const auto body = node.get("/cluster", answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  return object_in(*body, node);
}

// Of the whole report, what the verb is about.
json part_of(const json& cluster, verb what) {
  const char* const list = what == verb::cluster_nodes ? "nodes" : "shards";
  if (what == verb::cluster_status || !cluster.contains(list)) return cluster;
  return {{list, cluster[list]}};
}

report report_of(const command_line& given, const json& cluster, const operator_client& node) {
  switch (given.what) {
    case verb::cluster_nodes:
      return report_nodes(cluster);
    case verb::cluster_shards:
      return report_shards(cluster);
    default:
      return report_cluster(cluster, node.url());
  }
}

ending show(const command_line& given, operator_client& node, const surroundings& with) {
  const auto cluster = ask(node);
  if (!cluster) return tl::unexpected<failure>(cluster.error());
  const auto made = report_of(given, *cluster, node);
  if (given.as == form::json) {
    with.out << part_of(*cluster, given.what).dump(2) << '\n';
  } else {
    with.out << made.text;
  }
  return made.sound ? exit_code::ok : exit_code::failed;
}

// What a node cannot read of its own store is found, and no reason to ask it again. The request has nothing in it that
// could be malformed: so is what was read.
failure failed_hashing(failure why) {
  if (why.problem == "io" || why.code == exit_code::usage) why.code = exit_code::failed;
  return why;
}

ending show_hashes(const command_line& given, operator_client& node, const surroundings& with) {
  const auto body = node.get("/cluster/hashes", hashes_within);
  if (!body) return tl::unexpected<failure>(failed_hashing(body.error()));
  const auto hashes = object_in(*body, node);
  if (!hashes) return tl::unexpected<failure>(hashes.error());
  with.out << (given.as == form::json ? hashes->dump(2) + '\n' : report_hashes(*hashes).text);
  return exit_code::ok;
}

// One look of `watch`, shown; as what `status` would end.
exit_code look(const command_line& given, const outcome<json>& cluster, const operator_client& node,
               const surroundings& with) {
  const auto made = cluster ? report_cluster(*cluster, node.url()) : report{.text = {}, .sound = false};
  if (given.as == form::json) {
    // A line for each, for programs that read along.
    with.out << (cluster ? cluster->dump() : json{{"error", cluster.error().what}}.dump()) << '\n';
  } else {
    if (with.terminal) with.out << "\x1b[H\x1b[2J";
    with.out << (cluster ? made.text + '\n' + report_nodes(*cluster).text
                         : "! " + cluster.error().what + '\n');
  }
  with.out.flush();
  if (!cluster) return cluster.error().code;
  return made.sound ? exit_code::ok : exit_code::failed;
}

// A node that does not answer may be the one that is being restarted: watching goes on. One that refuses the token will
// do so again.
ending watch(const command_line& given, operator_client& node, const surroundings& with) {
  auto last = exit_code::ok;
  for (std::uint64_t shown = 0; !given.limit || shown < *given.limit; ++shown) {
    if (shown > 0 && !with.pause(given.every)) break;
    const auto cluster = ask(node);
    if (!cluster && cluster.error().code == exit_code::refused)
      return tl::unexpected<failure>(cluster.error());
    last = look(given, cluster, node, with);
    if (!with.out) break;
  }
  return last;
}

// Fewer replicas outlive fewer losses.
outcome<std::string> question_of_replicas(const command_line& given, operator_client& node) {
  if (!given.replicas) return std::string();
  const auto cluster = ask(node);
  if (!cluster) return tl::unexpected<failure>(cluster.error());
  const auto known = cluster->find("replicas");
  if (known == cluster->end() || !known->is_number_unsigned())
    return fail_with(exit_code::unreachable, node.url() + ": the node does not say how many replicas there are");
  const std::uint64_t now = known->get<std::uint64_t>(), wanted = *given.replicas;
  if (wanted >= now) return std::string();
  const auto lost = (wanted + 1) / 2;  // no majority is left
  return "Keep each shard on " + std::to_string(wanted) + (wanted == 1 ? " node" : " nodes") +
         ", not " + std::to_string(now) + "? The loss of " + std::to_string(lost) +
         (lost == 1 ? " node" : " nodes") + " then stops writes.";
}

// What a person is asked before it is done; empty: nothing.
outcome<std::string> question_for(const command_line& given, operator_client& node) {
  switch (given.what) {
    case verb::cluster_drain:
      return std::string("Have others take over everything that node ") + given.target + " holds?";
    case verb::cluster_remove:
      return std::string("Remove node ") + given.target + " for good" +
             (given.force ? ", although shards may still be placed on it" : "") +
             "? Its number never comes back.";
    case verb::cluster_replace:
      return std::string("Put node ") + given.substitute + " in the place of node " + given.target +
             " everywhere?";
    case verb::cluster_configure:
      return question_of_replicas(given, node);
    case verb::cluster_rotate_key:
      if (!given.distrust_others) return std::string();
      return std::string(
          "Refuse all tokens of now in a minute? Everybody has to sign in again, guests begin a new "
          "session, and tokens of \"token issue\" have to be issued again.");
    default:
      return std::string();
  }
}

// The shard as a number: the cluster's own group is behind the last shard.
outcome<json> shard_number(const command_line& given, operator_client& node) {
  if (given.shard != "cluster") {
    const auto number = json::parse(given.shard, nullptr, false);
    if (number.is_number_unsigned()) return number;
    return fail_with(exit_code::usage,
                     "\"" + given.shard + "\" is no shard; write its number or \"cluster\"");
  }
  const auto cluster = ask(node);
  if (!cluster) return tl::unexpected<failure>(cluster.error());
  const auto shards = cluster->find("shards");
  const bool has_own = shards != cluster->end() && shards->is_array() && !shards->empty() &&
                       shards->back().is_object() && shards->back().contains("shard");
  if (!has_own) return fail_with(exit_code::failed, "the node tells of no shards");
  return shards->back().at("shard");
}

outcome<json> wish_of(const command_line& given, operator_client& node) {
  json wish = json::object();
  if (given.what == verb::cluster_init) return wish;
  wish["who"] = given.who.empty() ? who_is_here() : given.who;
  if (!given.why.empty()) wish["why"] = given.why;
  if (given.what == verb::cluster_join) {
    wish["id"] = given.node;
    wish["name"] = given.name.empty() ? "n" + std::to_string(given.node) : given.name;
    wish["link"] = given.link;
    if (!given.http.empty()) wish["http"] = given.http;
    if (!given.operators.empty()) wish["operators"] = given.operators;
  }
  if (!given.target.empty()) wish["node"] = given.target;
  if (!given.substitute.empty()) wish["by"] = given.substitute;
  if (given.force) wish["force"] = true;
  if (given.replicas) wish["replicas"] = *given.replicas;
  if (given.distrust_others) wish["distrust_others"] = true;
  if (given.moves_max) wish["moves_max"] = *given.moves_max;
  if (given.what == verb::cluster_transfer) {
    auto shard = shard_number(given, node);
    if (!shard) return shard;
    wish["shard"] = *shard;
  }
  return wish;
}

const char* path_of(verb what) {
  switch (what) {
    case verb::cluster_init:
      return "/cluster/init";
    case verb::cluster_join:
      return "/cluster/join";
    case verb::cluster_drain:
      return "/cluster/drain";
    case verb::cluster_resume:
      return "/cluster/resume";
    case verb::cluster_remove:
      return "/cluster/remove";
    case verb::cluster_replace:
      return "/cluster/replace";
    case verb::cluster_transfer:
      return "/cluster/transfer";
    case verb::cluster_rebalance:
      return "/cluster/rebalance";
    case verb::cluster_configure:
      return "/cluster/configure";
    case verb::cluster_rotate_key:
      return "/cluster/rotate-key";
    default:
      return "";
  }
}

std::string said_of(const json& answer) {
  const auto word = [&](const char* name) {
    return answer.contains(name) && answer[name].is_string()
               ? printable(answer[name].get<std::string>())
               : std::string();
  };
  if (const auto done = word("done"); !done.empty()) return done;
  const bool founded = answer.contains("founded") && answer["founded"] == true;
  return (founded ? "founded cluster " : "this node belongs to cluster ") + word("cluster") +
         (founded ? "" : " already");
}

ending command(const command_line& given, operator_client& node, const surroundings& with) {
  const auto question = given.yes ? outcome<std::string>() : question_for(given, node);
  if (!question) return tl::unexpected<failure>(question.error());
  if (!question->empty()) {
    const auto sure = with.confirm(*question);
    if (!sure) return tl::unexpected<failure>(sure.error());
    if (!*sure) return fail_with(exit_code::failed, "nothing was done");
  }
  const auto wish = wish_of(given, node);
  if (!wish) return tl::unexpected<failure>(wish.error());
  std::string text;
  try {
    text = wish->dump();
  } catch (const json::exception&) {  // only strings from outside can make it throw
    return fail_with(exit_code::usage, "names, --who and --why must be UTF-8");
  }
  const auto body = node.post(path_of(given.what), text, answer_within);
  if (!body) return tl::unexpected<failure>(body.error());
  const auto answer = object_in(*body, node);
  if (!answer) return tl::unexpected<failure>(answer.error());
  with.out << (given.as == form::json ? answer->dump(2) : said_of(*answer)) << '\n';
  return exit_code::ok;
}

}  // namespace

std::string who_is_here() {
  const char* user = std::getenv("USER");
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  const std::string name = user && *user ? user : "uid-" + std::to_string(::getuid());
  return *host == '\0' ? name : name + '@' + host;
}

outcome<exit_code> run_cluster(const command_line& given, operator_client& node,
                               const surroundings& with) {
  switch (given.what) {
    case verb::cluster_status:
    case verb::cluster_nodes:
    case verb::cluster_shards:
      return show(given, node, with);
    case verb::cluster_hashes:
      return show_hashes(given, node, with);
    case verb::cluster_watch:
      return watch(given, node, with);
    default:
      return command(given, node, with);
  }
}

}  // namespace omnicart::ctl
