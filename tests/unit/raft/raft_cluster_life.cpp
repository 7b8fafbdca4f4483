#include <algorithm>

#include "tests/unit/raft/raft_cluster.hpp"

namespace omnicart::raft {
namespace {

class life {
 public:
  explicit life(raft_cluster& cluster) : cluster_(cluster) {}

  void run(std::int64_t ms) {
    for (std::int64_t spent_ms = 0; spent_ms < ms;) {
      const auto pause_ms = pick(1, 40);
      cluster_.run_for(pause_ms);
      spent_ms += pause_ms;
      act(pick(0, 99));
    }
    mend();
  }

 private:
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(cluster_.random()() %
                                           static_cast<std::uint64_t>(high - low + 1));
  }
  node_id any() {
    const auto all = cluster_.nodes();
    return all[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(all.size()) - 1))];
  }

  void act(std::int64_t what) {
    const auto leader = cluster_.leader();
    const auto node = any();
    if (what < 65) {
      for (auto i = pick(1, 3); i > 0 && leader != 0; --i)
        cluster_.submit(leader, "t" + std::to_string(++texts_));
    } else if (what < 71) {
      cluster_.up(node) ? cluster_.crash(node) : cluster_.start(node);
    } else if (what < 73) {
      cluster_.fail_next_write(node);
    } else if (what < 78) {
      cluster_.isolate(node);
    } else if (what < 80) {
      cluster_.cut(node, any());
    } else if (what < 87) {
      cluster_.heal();
      for (const auto id : cluster_.nodes()) {
        if (!cluster_.up(id)) cluster_.start(id);
      }
    } else if (what < 91) {
      if (leader != 0) cluster_.transfer(leader, node);
    } else if (what < 98) {
      if (leader != 0) change_membership(leader, node);
    } else {
      if (leader != 0) cluster_.catch_up(leader, node);
    }
  }

  void change_membership(node_id leader, node_id node) {
    using kind = membership_change::kind;
    const auto& members = cluster_.group(leader).members();
    const auto* member = find(members, node);
    const role as = static_cast<role>(pick(0, 2));
    if (member == nullptr) {
      cluster_.change(leader, {.what = kind::add, .node = node, .as = as});
    } else if (voters_of(members).size() > 2 && pick(0, 1) == 0) {
      cluster_.change(leader, {.what = kind::remove, .node = node});
    } else if (as == role::voter || voters_of(members).size() > 1) {
      cluster_.change(leader, {.what = kind::assign, .node = node, .as = as});
    }
  }

  void mend() {
    cluster_.heal();
    cluster_.calm();
    for (const auto id : cluster_.nodes()) {
      if (!cluster_.up(id)) cluster_.start(id);
    }
    cluster_.run_for(500);  // writes that fail, transfers and changes under way
    for (const auto id : cluster_.nodes()) {
      if (!cluster_.up(id)) cluster_.start(id);
    }
    cluster_.wait_for_leader();
    const auto last = write_one();
    const auto agreed = [&] {
      const auto leader = cluster_.leader();
      return leader != 0 &&
             std::ranges::all_of(cluster_.group(leader).members().servers, [&](const server& s) {
               const auto& texts = cluster_.applied(s.node);
               return s.as == role::spare || (!texts.empty() && texts.back() == last);
             });
    };
    const bool do_agree = cluster_.run_until(agreed);
    law(do_agree, "the members agree in the end:" + cluster_.describe());
    compare();
  }

  // Until one is acknowledged: a transfer or a change may still be under way.
  std::string write_one() {
    for (int attempt = 0; attempt < 50; ++attempt) {
      const auto text = "t" + std::to_string(++texts_);
      const auto index = cluster_.submit(cluster_.wait_for_leader(), text);
      const auto is_acknowledged = [&] {
        return index && cluster_.acknowledged().contains(*index);
      };
      if (index && cluster_.run_until(is_acknowledged, 1000) &&
          cluster_.acknowledged().at(*index) == text)
        return text;
    }
    throw broken_law("a mended cluster takes a write");
  }

  void compare() {
    const auto leader = cluster_.leader();
    const auto texts = cluster_.applied(leader);
    for (const auto& s : cluster_.group(leader).members().servers) {
      law(s.as == role::spare || cluster_.applied(s.node) == texts, "replicas hold the same");
    }
    for (const auto& [index, text] : cluster_.acknowledged()) {
      law(std::ranges::count(texts, text) == 1, "what was acknowledged is there, once: " + text);
    }
  }

  raft_cluster& cluster_;
  int texts_ = 0;
};

}  // namespace

void random_life(raft_cluster& cluster, std::int64_t ms) { life(cluster).run(ms); }

}  // namespace omnicart::raft
