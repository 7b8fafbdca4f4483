#ifndef OMNICART_CLUSTER_RAFT_RAFT_ENGINE_H
#define OMNICART_CLUSTER_RAFT_RAFT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// libraft's raft_step for C++: raft.h is not valid C++, so this header names none of its types. One
// engine is one replica of one group; it does no I/O, reads no clock, and keeps no entry, only
// their indexes and terms.
//
// Memory: whatever is passed in is read during the call alone and stays the caller's. What an
// output points to is the engine's and good until its next call. Not thread-safe; engines of
// different groups share nothing.
#ifdef __cplusplus
extern "C" {
#endif

typedef struct raft_engine raft_engine;

enum raft_engine_role { raft_engine_standby, raft_engine_voter, raft_engine_spare };
enum raft_engine_entry_type { raft_engine_command = 1, raft_engine_barrier, raft_engine_change };
enum raft_engine_state { raft_engine_follower = 1, raft_engine_candidate, raft_engine_leader };
enum raft_engine_message_type {
  raft_engine_append = 1,
  raft_engine_append_result,
  raft_engine_vote_request,
  raft_engine_vote_result,
  raft_engine_install,
  raft_engine_timeout_now
};

// What a call may answer besides 0; other numbers are libraft's and mean a bug or no memory.
enum raft_engine_error {
  raft_engine_not_leader = 7,
  raft_engine_cannot_change = 11,
  raft_engine_shutdown = 9  // a committed entry conflicts with a leader's: the group must not go on
};

typedef struct raft_engine_server {
  uint64_t id;
  int role;
} raft_engine_server;

typedef struct raft_engine_configuration {
  const raft_engine_server* servers;
  unsigned count;
} raft_engine_configuration;

typedef struct raft_engine_entry {
  uint64_t term;
  int type;
  raft_engine_configuration change;  // of a change only
} raft_engine_entry;

typedef struct raft_engine_snapshot {
  uint64_t index;
  uint64_t term;
  uint64_t configuration_index;
  raft_engine_configuration configuration;
} raft_engine_snapshot;

// Every message in one shape; the type says which fields count.
typedef struct raft_engine_message {
  int type;
  uint64_t peer;  // sender when received, receiver when to be sent
  uint64_t term;
  uint64_t index;       // previous, last or snapshot index
  uint64_t index_term;  // its term
  uint64_t commit;      // append: the leader's commit index
  uint64_t rejected;    // append_result: the index refused, or 0
  bool flag;            // vote_request: may disrupt a leader; vote_result: granted
  bool pre_vote;
  const raft_engine_entry*
      entries;                    // append, received only: what to send is the caller's to look up
  unsigned count;                 // append
  raft_engine_snapshot snapshot;  // install, received only
} raft_engine_message;

// What a call changed, to be acted upon before the next one.
typedef struct raft_engine_output {
  bool hard_state_changed;  // term or vote
  bool state_changed;
  bool own_barrier;      // the entries are one barrier that the engine made
  uint64_t first_index;  // of the entries to persist; 0: none
  unsigned count;        // of a received batch: its last `count` entries
  bool install;          // the snapshot of the received message is wanted
  const raft_engine_message* messages;
  unsigned message_count;
} raft_engine_output;

// NULL when there is no memory. Pre-vote is on.
raft_engine* raft_engine_new(uint64_t id, unsigned seed, unsigned election_timeout_ms,
                             unsigned heartbeat_ms, unsigned install_timeout_ms,
                             unsigned inflight_entries_max);
void raft_engine_free(raft_engine* engine);

// Events, as docs/events.rst of libraft names them. 0, or an error after which the output is empty.
int raft_engine_start(raft_engine* engine, uint64_t now_ms, uint64_t term, uint64_t voted_for,
                      const raft_engine_snapshot* snapshot, uint64_t first_index,
                      const raft_engine_entry* entries, unsigned count, raft_engine_output* out);
int raft_engine_receive(raft_engine* engine, uint64_t now_ms, const raft_engine_message* message,
                        raft_engine_output* out);
int raft_engine_persisted_entries(raft_engine* engine, uint64_t now_ms, uint64_t index,
                                  raft_engine_output* out);
int raft_engine_persisted_snapshot(raft_engine* engine, uint64_t now_ms,
                                   const raft_engine_snapshot* snapshot, raft_engine_output* out);
int raft_engine_took_snapshot(raft_engine* engine, uint64_t now_ms,
                              const raft_engine_snapshot* snapshot, unsigned trailing,
                              raft_engine_output* out);
int raft_engine_timeout(raft_engine* engine, uint64_t now_ms, raft_engine_output* out);
int raft_engine_submit(raft_engine* engine, uint64_t now_ms, const raft_engine_entry* entries,
                       unsigned count, raft_engine_output* out);
int raft_engine_catch_up(raft_engine* engine, uint64_t now_ms, uint64_t server,
                         raft_engine_output* out);
int raft_engine_transfer(raft_engine* engine, uint64_t now_ms, uint64_t server,
                         raft_engine_output* out);
// The configuration in use is committed (its index is raft_engine_uncommitted_index).
int raft_engine_configuration_committed(raft_engine* engine, uint64_t now_ms,
                                        raft_engine_output* out);

// Votes in the current term, which libraft does not let a standby or spare do.
void raft_engine_set_vote(raft_engine* engine, uint64_t candidate);
// A follower's leader was silent for the minimum election timeout: libraft's followers forget it only when they stand
// themselves, later or, without a vote, never.
void raft_engine_forget_leader(raft_engine* engine);

// State.
int raft_engine_current_state(const raft_engine* engine);
uint64_t raft_engine_term(const raft_engine* engine);
uint64_t raft_engine_vote(const raft_engine* engine);
uint64_t raft_engine_leader_id(const raft_engine* engine);  // 0: none known
uint64_t raft_engine_commit_index(const raft_engine* engine);
uint64_t raft_engine_last_index(const raft_engine* engine);
uint64_t raft_engine_stored_index(const raft_engine* engine);  // reported as persisted
// How long, in ms, a follower or candidate waits before it stands: drawn anew now and then by libraft, from the election
// timeout to twice that. 0 for a leader, whose cannot be set.
unsigned raft_engine_patience(const raft_engine* engine);
void raft_engine_set_patience(raft_engine* engine, unsigned patience_ms);
uint64_t raft_engine_next_timeout(const raft_engine* engine);  // when raft_engine_timeout is due
bool raft_engine_installing(const raft_engine* engine);  // a snapshot; other entries are ignored
uint64_t raft_engine_match_index(const raft_engine* engine,
                                 uint64_t server);           // leader only; else 0
uint64_t raft_engine_transferee(const raft_engine* engine);  // 0: none
uint64_t raft_engine_promotee(const raft_engine* engine);    // 0: none is catching up
// 0 never asked, 1 running, 2 gave up, 3 done; -1 when not the leader or not a member.
int raft_engine_catch_up_status(const raft_engine* engine, uint64_t server);
// The configuration in use, committed or not, and the last one known to be committed, with its
// index.
raft_engine_server raft_engine_server_at(const raft_engine* engine, unsigned at);
unsigned raft_engine_server_count(const raft_engine* engine);
raft_engine_server raft_engine_committed_server_at(const raft_engine* engine, unsigned at);
unsigned raft_engine_committed_server_count(const raft_engine* engine);
uint64_t raft_engine_committed_configuration_index(const raft_engine* engine);
uint64_t raft_engine_uncommitted_index(const raft_engine* engine);  // 0: none

#ifdef __cplusplus
}
#endif

#endif
