#include "actors/cluster/cluster.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "runtime/base/codec.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::cluster_record {
namespace {

bool is_cluster_id(std::string_view text) {
  return text.size() == 32 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_line(const std::string& text) {
  return text.size() <= text_bytes_max && is_single_line(text);
}

bool is_empty_or_address(const std::string& text) { return text.empty() || is_good_address(text); }

// A key that may come after `last`.
status is_good_key(const signing_key& key, std::uint64_t last, timestamp_ms now) {
  if (key.secret.size() != key_secret_bytes)
    return fail(errc::invalid_key, "a key's secret has 64 bytes");
  if (key.expires_at <= key.active_from || key.expires_at <= now)
    return fail(errc::invalid_key, "the key has expired before it is used");
  if (key.number <= last) return fail(errc::invalid_key, "keys have rising numbers");
  return {};
}

struct decider {
  const state& s;
  const context& ctx;
  bool is_founding = false;  // the only command to a record that is not founded

  result<events> operator()(const found& c) const {
    if (auto may = is_system(); !may) return fail(may.error());
    if (!is_cluster_id(c.cluster))
      return fail(base_errc::malformed, "a cluster's id is 32 hex digits");
    if (auto good = is_good(c.first); !good) return fail(good.error());
    if (c.shard_count == 0) return fail(base_errc::malformed, "a cluster has a shard or more");
    if (auto good = are_good(c.keys); !good) return fail(good.error());
    if (s.founded()) {
      const node* first = find(s, c.first.id);
      if (s.cluster != c.cluster || first == nullptr || s.shard_count != c.shard_count)
        return fail(errc::already_founded);
      return events{};
    }
    node first = c.first;
    first.state = node_state::active;
    first.since = ctx.now;
    return events{cluster_record::founded{.cluster = c.cluster,
                                          .first = std::move(first),
                                          .shard_count = c.shard_count,
                                          .keys = c.keys,
                                          .at = ctx.now}};
  }

  result<events> operator()(const join& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    if (auto good = is_good(c.who); !good) return fail(good.error());
    if (c.who.link.empty())
      return fail(base_errc::malformed, "a node that joins has an address for its link");
    if (const node* known = find(s, c.who.id)) {
      if (known->state == node_state::removed) return refuse_removed(*known);
      if (is_same_but_state(*known, c.who)) return events{};
      if (known->state == node_state::joining && known->name == c.who.name) return readdressed(*known, c.who);
      return fail(errc::node_exists,
                  "node " + std::to_string(c.who.id) + " is " + known->name + " at " + known->link);
    }
    if (find_by_name(s, c.who.name) != nullptr) return fail(errc::name_taken, c.who.name);
    if (auto free = is_free(c.who.link, c.who.id); !free) return fail(free.error());
    const auto living = living_nodes(s);
    if (living.size() >= living_nodes_max || s.nodes.size() >= nodes_max)
      return fail(errc::too_many_nodes);
    for (const node* other : living) {
      if (other->link.empty())
        return fail(errc::illegal_state, other->name + " has no address for its link");
    }
    node who = c.who;
    who.state = node_state::joining;
    who.since = ctx.now;
    return events{joined{.who = std::move(who), .by = c.by, .at = ctx.now}};
  }

  result<events> operator()(const ready& c) const {
    if (auto may = is_system(); !may) return fail(may.error());
    const auto of = living(c.id);
    if (!of) return fail(of.error());
    if ((*of)->state != node_state::joining) return events{};
    return events{readied{.id = c.id, .at = ctx.now}};
  }

  result<events> operator()(const drain& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    const auto of = member(c.id);
    if (!of) return fail(of.error());
    if ((*of)->state == node_state::draining) return events{};
    if (active_count(s) == 1)
      return fail(errc::last_node, (*of)->name + " is the only active node");
    return events{drained{.id = c.id, .by = c.by, .at = ctx.now}};
  }

  result<events> operator()(const resume& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    const auto of = member(c.id);
    if (!of) return fail(of.error());
    if ((*of)->state == node_state::active) return events{};
    return events{resumed{.id = c.id, .by = c.by, .at = ctx.now}};
  }

  result<events> operator()(const remove& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    const node* of = find(s, c.id);
    if (of == nullptr) return refuse_unknown(c.id);
    if (of->state == node_state::removed) return events{};
    const bool was_active = of->state == node_state::active;
    if (active_count(s) == (was_active ? 1u : 0u))
      return fail(errc::last_node, of->name + " is the only active node");
    if (auto free = is_unplaced(c, of->name); !free) return fail(free.error());
    if (auto enough = leaves_majorities(c, *of); !enough) return fail(enough.error());
    return events{
        cluster_record::removed{.id = c.id, .forced = c.force, .by = c.by, .at = ctx.now}};
  }

  result<events> operator()(const replace& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    if (c.old_node == c.new_node)
      return fail(base_errc::malformed, "a node is replaced by another one");
    const auto old_node = member(c.old_node);
    if (!old_node) return fail(old_node.error());
    const auto new_node = member(c.new_node);
    if (!new_node) return fail(new_node.error());
    if ((*new_node)->state != node_state::active)
      return fail(errc::illegal_state, (*new_node)->name + " is draining");
    if ((*old_node)->state == node_state::draining && !has_place_for(c)) return events{};
    return events{
        replaced{.old_node = c.old_node, .new_node = c.new_node, .by = c.by, .at = ctx.now}};
  }

  result<events> operator()(const place& c) const {
    if (auto may = is_system(); !may) return fail(may.error());
    placed done{.shards = {}, .at = ctx.now};
    std::set<std::uint16_t> seen;
    for (const auto& entry : c.shards) {
      if (!seen.insert(entry.shard).second)
        return fail(base_errc::malformed, "a shard is placed twice");
      if (auto good = is_placeable(entry); !good) return fail(good.error());
      if (s.desired[entry.shard].voters != entry.voters) done.shards.push_back(entry);
    }
    if (done.shards.empty()) return events{};
    return events{std::move(done)};
  }

  result<events> operator()(const transfer& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    if (c.shard >= s.desired.size()) return fail(errc::no_such_shard);
    const auto to = living(c.to);
    if (!to) return fail(to.error());
    const auto& now = s.desired[c.shard];
    if (std::ranges::find(now.voters, c.to) == now.voters.end())
      return fail(errc::not_a_replica,
                  (*to)->name + " is no voter of shard " + std::to_string(c.shard));
    if ((*to)->state != node_state::active)
      return fail(errc::illegal_state, (*to)->name + " is " + to_string((*to)->state));
    if (now.pinned && now.voters.front() == c.to) return events{};
    return events{transferred{.shard = c.shard, .to = c.to, .by = c.by, .at = ctx.now}};
  }

  result<events> operator()(const rebalance& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    if (std::ranges::none_of(s.desired, &shard_nodes::pinned)) return events{};
    return events{rebalanced{.by = c.by, .at = ctx.now}};
  }

  result<events> operator()(const rotate_key& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    if (std::ranges::find(s.keys, c.key) != s.keys.end()) return events{};
    const std::uint64_t last = s.keys.empty() ? 0 : s.keys.back().number;
    if (auto good = is_good_key(c.key, last, ctx.now); !good) return fail(good.error());
    const auto alive =
        std::ranges::count_if(s.keys, [&](const signing_key& k) { return ctx.now < k.expires_at; });
    if (static_cast<std::size_t>(alive) >= keys_max)
      return fail(errc::invalid_key, "there are 16 keys in force");
    key_rotated done{.key = c.key, .by = c.by, .at = ctx.now, .others_until = {}};
    if (c.distrust_others) done.others_until = c.key.active_from;
    return events{std::move(done)};
  }

  result<events> operator()(const configure& c) const {
    if (auto may = is_operator(c.by); !may) return fail(may.error());
    if (c.settings.replicas < 1 || c.settings.replicas > voters_max)
      return fail(errc::invalid_settings, "1 to 5 replicas");
    if (c.settings.moves_max < 1 || c.settings.moves_max > moves_max_max)
      return fail(errc::invalid_settings, "1 to 64 moves at a time");
    if (c.settings == s.settings) return events{};
    return events{configured{.settings = c.settings, .by = c.by, .at = ctx.now}};
  }

  result<events> operator()(const update_addresses& c) const {
    if (auto may = is_system(); !may) return fail(may.error());
    const auto of = living(c.id);
    if (!of) return fail(of.error());
    const bool is_alone = living_nodes(s).size() == 1;
    const bool link_is_good = is_empty_or_address(c.link) && (is_alone || !c.link.empty());
    if (!link_is_good || !is_empty_or_address(c.http) || !is_empty_or_address(c.operators))
      return fail(base_errc::malformed, "an address is HOST:PORT");
    if (auto free = is_free(c.link, c.id); !free) return fail(free.error());
    const node& now = **of;
    if (now.store != 0 && c.store != 0 && now.store != c.store)
      return fail(errc::another_store, now.name + " had another store");
    const bool told = c.store == 0 || c.store == now.store;
    if (told && now.link == c.link && now.http == c.http && now.operators == c.operators) return events{};
    return events{addresses_updated{.id = c.id,
                                    .link = c.link,
                                    .http = c.http,
                                    .operators = c.operators,
                                    .at = ctx.now,
                                    .store = c.store}};
  }

  result<events> operator()(const read&) const {
    if (auto may = is_system(); !may) return fail(may.error());
    return events{};
  }

 private:
  status is_system() const {
    if (ctx.asker.as != role::system) return fail(base_errc::forbidden);
    return is_there();
  }
  status is_operator(const cause& by) const {
    if (ctx.asker.as != role::system && ctx.asker.as != role::admin)
      return fail(base_errc::forbidden);
    if (auto there = is_there(); !there) return there;
    if (by.who.empty() || !is_line(by.who) || !is_line(by.why))
      return fail(base_errc::malformed, "who acts and why are a line of at most 500 bytes each");
    return {};
  }
  status is_there() const {
    if (!s.founded() && !is_founding) return fail(errc::not_founded);
    return {};
  }

  static tl::unexpected<error> refuse_unknown(node_id id) {
    return fail(errc::no_such_node, "there is no node " + std::to_string(id));
  }
  static tl::unexpected<error> refuse_removed(const node& of) {
    return fail(errc::node_removed,
                "node " + std::to_string(of.id) + " was removed; its number is used up");
  }
  result<const node*> living(node_id id) const {
    const node* of = find(s, id);
    if (of == nullptr) return refuse_unknown(id);
    if (of->state == node_state::removed) return refuse_removed(*of);
    return of;
  }
  // Living, and no longer joining.
  result<const node*> member(node_id id) const {
    auto of = living(id);
    if (of && (*of)->state == node_state::joining)
      return fail(errc::illegal_state, (*of)->name + " is still joining");
    return of;
  }

  // Until it was heard nobody but the operator knows where it is, and may have been mistaken.
  result<events> readdressed(const node& known, const node& who) const {
    if (auto free = is_free(who.link, who.id); !free) return fail(free.error());
    const auto or_known = [](const std::string& now, const std::string& before) { return now.empty() ? before : now; };
    const addresses_updated found{.id = who.id,
                                  .link = who.link,
                                  .http = or_known(who.http, known.http),
                                  .operators = or_known(who.operators, known.operators),
                                  .at = ctx.now,
                                  .store = 0};
    const bool is_known = found.link == known.link && found.http == known.http && found.operators == known.operators;
    return is_known ? events{} : events{found};
  }

  static status is_good(const node& n) {
    const auto bad = [](const char* why) { return fail(base_errc::malformed, why); };
    if (n.id == 0) return bad("a node's number is above 0");
    if (!is_good_name(n.name))
      return bad("a node's name is 1 to 64 of a-z A-Z 0-9 . _ - and no number");
    if (!is_empty_or_address(n.link) || !is_empty_or_address(n.http) ||
        !is_empty_or_address(n.operators))
      return bad("an address is HOST:PORT");
    return {};
  }

  status are_good(const std::vector<signing_key>& keys) const {
    if (keys.size() > keys_max) return fail(errc::invalid_key, "too many keys");
    std::uint64_t last = 0;
    for (const auto& key : keys) {
      if (auto good = is_good_key(key, last, s.founded() ? timestamp_ms::min() : ctx.now); !good)
        return good;
      last = key.number;
    }
    return {};
  }

  static bool is_same_but_state(const node& a, const node& b) {
    return a.name == b.name && a.link == b.link && a.http == b.http && a.operators == b.operators;
  }

  status is_free(const std::string& link, node_id of) const {
    for (const node* other : living_nodes(s)) {
      if (other->id != of && !link.empty() && other->link == link)
        return fail(errc::address_taken, link + " is the address of " + other->name);
    }
    return {};
  }

  status is_unplaced(const remove& c, const std::string& name) const {
    if (c.force) return {};
    auto shards = shards_naming(s, c.id);
    shards.insert(shards.end(), c.still_member.begin(), c.still_member.end());
    std::ranges::sort(shards);
    shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
    if (shards.empty()) return {};
    return fail(errc::still_placed,
                name + " holds " + std::to_string(shards.size()) +
                    (shards.size() == 1 ? " shard" : " shards") + "; drain it first",
                encode_shards(shards));
  }

  // Whoever is removed is cut off at once, while Raft goes by its old voters until their majority
  // has agreed on fewer: so many of the wanted ones must be there now. Those that Raft has while
  // shards move are not known here: who asks has looked at them (http/cluster_report.hpp).
  status leaves_majorities(const remove& c, const node& leaving) const {
    const auto stays = [&](node_id v) {
      return v != leaving.id && is_serving(*find(s, v)) &&
             std::ranges::find(c.unreachable, v) == c.unreachable.end();
    };
    std::vector<std::uint16_t> short_ones;
    std::set<node_id> missing;
    for (const auto shard : shards_naming(s, leaving.id)) {
      const auto& voters = s.desired[shard].voters;
      const auto others = std::ranges::count_if(voters, stays);
      if (static_cast<std::size_t>(others) >= voters.size() / 2 + 1) continue;
      short_ones.push_back(shard);
      std::ranges::copy_if(voters, std::inserter(missing, missing.end()),
                           [&](node_id v) { return v != leaving.id && !stays(v); });
    }
    if (short_ones.empty()) return {};
    return fail(errc::no_majority,
                "without " + leaving.name + ", " + std::to_string(short_ones.size()) +
                    (short_ones.size() == 1 ? " shard has" : " shards have") +
                    " no majority of their voters" + cannot_be_reached(missing),
                encode_shards(short_ones));
  }

  std::string cannot_be_reached(const std::set<node_id>& missing) const {
    std::string names;
    for (const node_id id : missing) names += (names.empty() ? "" : ", ") + find(s, id)->name;
    return names.empty() ? names : ": " + names + " cannot be reached";
  }

  // A list that names the old node and not the new one.
  bool has_place_for(const replace& c) const {
    return std::ranges::any_of(s.desired, [&](const shard_nodes& of) {
      const auto names = [&](node_id id) {
        return std::ranges::find(of.voters, id) != of.voters.end();
      };
      return names(c.old_node) && !names(c.new_node);
    });
  }

  status is_placeable(const place::entry& entry) const {
    if (entry.voters.empty() || entry.voters.size() > voters_max)
      return fail(base_errc::malformed, "a shard has 1 to 5 voters");
    if (std::set(entry.voters.begin(), entry.voters.end()).size() != entry.voters.size())
      return fail(base_errc::malformed, "a voter is named twice");
    if (entry.shard >= s.desired.size()) return fail(errc::no_such_shard);
    for (const node_id voter : entry.voters) {
      const node* of = find(s, voter);
      if (of == nullptr) return refuse_unknown(voter);
      if (!is_serving(*of))
        return fail(errc::not_placeable, of->name + " is " + to_string(of->state));
    }
    return {};
  }
};

}  // namespace

result<events> decide(const state& s, const command& what, const context& ctx) {
  const bool is_founding = std::holds_alternative<found>(what);
  return std::visit(decider{.s = s, .ctx = ctx, .is_founding = is_founding}, what);
}

entity_ref the_record() { return {"cluster", "cluster"}; }

const char* to_string(errc code) {
  switch (code) {
    case errc::not_founded:
      return "not_founded";
    case errc::already_founded:
      return "already_founded";
    case errc::no_such_node:
      return "no_such_node";
    case errc::node_exists:
      return "node_exists";
    case errc::node_removed:
      return "node_removed";
    case errc::name_taken:
      return "name_taken";
    case errc::address_taken:
      return "address_taken";
    case errc::too_many_nodes:
      return "too_many_nodes";
    case errc::illegal_state:
      return "illegal_state";
    case errc::last_node:
      return "last_node";
    case errc::still_placed:
      return "still_placed";
    case errc::no_majority:
      return "no_majority";
    case errc::not_placeable:
      return "not_placeable";
    case errc::not_a_replica:
      return "not_a_replica";
    case errc::no_such_shard:
      return "no_such_shard";
    case errc::invalid_settings:
      return "invalid_settings";
    case errc::invalid_key:
      return "invalid_key";
    case errc::another_store:
      return "another_store";
  }
  return "";
}

}  // namespace omnicart::cluster_record
