#include "cluster/raft/raft_engine_struct.h"

void raft_engine_set_vote(raft_engine* engine, uint64_t candidate) {
  engine->raft.voted_for = candidate;
}

void raft_engine_forget_leader(raft_engine* engine) {
  if (engine->raft.state == RAFT_FOLLOWER) engine->raft.follower_state.current_leader.id = 0;
}

int raft_engine_current_state(const raft_engine* engine) { return engine->raft.state; }

uint64_t raft_engine_term(const raft_engine* engine) { return raft_current_term(&engine->raft); }

uint64_t raft_engine_vote(const raft_engine* engine) { return raft_voted_for(&engine->raft); }

uint64_t raft_engine_leader_id(const raft_engine* engine) {
  switch (engine->raft.state) {
    case RAFT_LEADER:
      return engine->raft.id;
    case RAFT_FOLLOWER:
      return engine->raft.follower_state.current_leader.id;
    default:
      return 0;
  }
}

uint64_t raft_engine_commit_index(const raft_engine* engine) {
  return raft_commit_index(&engine->raft);
}

uint64_t raft_engine_last_index(const raft_engine* engine) {
  return raft_last_index((struct raft*)&engine->raft);  // reads only
}

uint64_t raft_engine_stored_index(const raft_engine* engine) { return engine->raft.last_stored; }

unsigned raft_engine_patience(const raft_engine* engine) {
  switch (engine->raft.state) {
    case RAFT_FOLLOWER:
      return engine->raft.follower_state.randomized_election_timeout;
    case RAFT_CANDIDATE:
      return engine->raft.candidate_state.randomized_election_timeout;
    default:
      return 0;
  }
}

void raft_engine_set_patience(raft_engine* engine, unsigned patience_ms) {
  if (engine->raft.state == RAFT_FOLLOWER) {
    engine->raft.follower_state.randomized_election_timeout = patience_ms;
  } else if (engine->raft.state == RAFT_CANDIDATE) {
    engine->raft.candidate_state.randomized_election_timeout = patience_ms;
  }
}

uint64_t raft_engine_next_timeout(const raft_engine* engine) { return raft_timeout(&engine->raft); }

bool raft_engine_installing(const raft_engine* engine) { return engine->raft.snapshot.installing; }

uint64_t raft_engine_match_index(const raft_engine* engine, uint64_t server) {
  raft_index index = 0;
  return raft_match_index(&engine->raft, server, &index) == 0 ? index : 0;
}

uint64_t raft_engine_transferee(const raft_engine* engine) {
  return raft_transferee(&engine->raft);
}

uint64_t raft_engine_promotee(const raft_engine* engine) {
  return engine->raft.state == RAFT_LEADER ? engine->raft.leader_state.promotee_id : 0;
}

int raft_engine_catch_up_status(const raft_engine* engine, uint64_t server) {
  int status = 0;
  return raft_catch_up(&engine->raft, server, &status) == 0 ? status : -1;
}

static raft_engine_server server_at(const struct raft_configuration* configuration, unsigned at) {
  raft_engine_server server = {configuration->servers[at].id, configuration->servers[at].role};
  return server;
}

raft_engine_server raft_engine_server_at(const raft_engine* engine, unsigned at) {
  return server_at(&engine->raft.configuration, at);
}

unsigned raft_engine_server_count(const raft_engine* engine) {
  return engine->raft.configuration.n;
}

raft_engine_server raft_engine_committed_server_at(const raft_engine* engine, unsigned at) {
  return server_at(&engine->raft.configuration_committed, at);
}

unsigned raft_engine_committed_server_count(const raft_engine* engine) {
  return engine->raft.configuration_committed.n;
}

uint64_t raft_engine_committed_configuration_index(const raft_engine* engine) {
  return engine->raft.configuration_committed_index;
}

uint64_t raft_engine_uncommitted_index(const raft_engine* engine) {
  return engine->raft.configuration_uncommitted_index;
}
