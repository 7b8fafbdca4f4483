#include "cluster/raft/raft_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/raft/raft_engine_struct.h"

_Static_assert((int)raft_engine_spare == RAFT_SPARE && (int)raft_engine_voter == RAFT_VOTER,
               "roles");
_Static_assert((int)raft_engine_change == RAFT_CHANGE && (int)raft_engine_leader == RAFT_LEADER,
               "types and states");
_Static_assert((int)raft_engine_timeout_now == RAFT_TIMEOUT_NOW &&
                   (int)raft_engine_install == RAFT_INSTALL_SNAPSHOT,
               "messages");
_Static_assert((int)raft_engine_not_leader == RAFT_NOTLEADER &&
                   (int)raft_engine_shutdown == RAFT_SHUTDOWN &&
                   (int)raft_engine_cannot_change == RAFT_CANTCHANGE,
               "errors");

// libraft tells servers apart by id and asks that their addresses differ: an address is the id as
// text.
enum { address_bytes = 24 };

static void write_address(uint64_t id, char* address) {
  snprintf(address, address_bytes, "%llu", (unsigned long long)id);
}

raft_engine* raft_engine_new(uint64_t id, unsigned seed, unsigned election_timeout_ms,
                             unsigned heartbeat_ms, unsigned install_timeout_ms,
                             unsigned inflight_entries_max) {
  char address[address_bytes];
  raft_engine* engine = calloc(1, sizeof *engine);
  if (engine == NULL) return NULL;
  write_address(id, address);
  if (raft_init(&engine->raft, NULL, NULL, id, address) != 0) {
    free(engine);
    return NULL;
  }
  engine->raft.tracer = NULL;  // else every step formats its diary
  raft_seed(&engine->raft, seed);
  raft_set_election_timeout(&engine->raft, election_timeout_ms);
  raft_set_heartbeat_timeout(&engine->raft, heartbeat_ms);
  raft_set_install_snapshot_timeout(&engine->raft, install_timeout_ms);
  raft_set_max_inflight_entries(&engine->raft, inflight_entries_max);
  raft_set_pre_vote(&engine->raft, true);
  return engine;
}

void raft_engine_free(raft_engine* engine) {
  if (engine == NULL) return;
  raft_close(&engine->raft, NULL);
  free(engine->entries);
  free(engine->messages);
  free(engine);
}

static int make_configuration(const raft_engine_configuration* from,
                              struct raft_configuration* to) {
  raft_configuration_init(to);
  for (unsigned i = 0; i < from->count; ++i) {
    char address[address_bytes];
    write_address(from->servers[i].id, address);
    int rv = raft_configuration_add(to, from->servers[i].id, address, from->servers[i].role);
    if (rv != 0) {
      raft_configuration_close(to);
      return rv;
    }
  }
  return 0;
}

static int make_metadata(const raft_engine_snapshot* from, struct raft_snapshot_metadata* to) {
  to->index = from->index;
  to->term = from->term;
  to->configuration_index = from->configuration_index;
  return make_configuration(&from->configuration, &to->configuration);
}

static int encode_change(const raft_engine_configuration* from, struct raft_buffer* to) {
  struct raft_configuration configuration;
  int rv = make_configuration(from, &configuration);
  if (rv != 0) return rv;
  rv = raft_configuration_encode(&configuration, to);
  raft_configuration_close(&configuration);
  return rv;
}

// Releases what only a batch's changes hold; libraft has decoded them by now.
static void clear_changes(raft_engine* engine, unsigned count) {
  for (unsigned i = 0; i < count; ++i) raft_free(engine->entries[i].buf.base);
}

// Fills engine->entries. libraft frees a batch by its first entry's `batch`, or leaves that to its
// caller, so a token stands there in place of the bytes, which it never looks at.
static int make_entries(raft_engine* engine, const raft_engine_entry* from, unsigned count,
                        void** token) {
  *token = NULL;
  if (count == 0) return 0;
  if (count > engine->entries_size) {
    struct raft_entry* more = realloc(engine->entries, count * sizeof *more);
    if (more == NULL) return RAFT_NOMEM;
    engine->entries = more;
    engine->entries_size = count;
  }
  *token = raft_malloc(1);
  if (*token == NULL) return RAFT_NOMEM;
  for (unsigned i = 0; i < count; ++i) {
    struct raft_entry* to = &engine->entries[i];
    memset(to, 0, sizeof *to);
    to->term = from[i].term;
    to->type = (enum raft_entry_type)from[i].type;
    to->batch = *token;
    if (from[i].type != raft_engine_change) continue;
    int rv = encode_change(&from[i].change, &to->buf);
    if (rv != 0) {
      clear_changes(engine, i);
      raft_free(*token);
      return rv;
    }
  }
  return 0;
}

static void describe_message(const struct raft_message* from, raft_engine_message* to) {
  memset(to, 0, sizeof *to);
  to->type = (int)from->type;
  to->peer = from->server_id;
  switch (from->type) {
    case RAFT_APPEND_ENTRIES:
      to->term = from->append_entries.term;
      to->index = from->append_entries.prev_log_index;
      to->index_term = from->append_entries.prev_log_term;
      to->commit = from->append_entries.leader_commit;
      to->count = from->append_entries.n_entries;
      break;
    case RAFT_APPEND_ENTRIES_RESULT:
      to->term = from->append_entries_result.term;
      to->index = from->append_entries_result.last_log_index;
      to->rejected = from->append_entries_result.rejected;
      break;
    case RAFT_REQUEST_VOTE:
      to->term = from->request_vote.term;
      to->index = from->request_vote.last_log_index;
      to->index_term = from->request_vote.last_log_term;
      to->flag = from->request_vote.disrupt_leader;
      to->pre_vote = from->request_vote.pre_vote;
      break;
    case RAFT_REQUEST_VOTE_RESULT:
      to->term = from->request_vote_result.term;
      to->flag = from->request_vote_result.vote_granted;
      to->pre_vote = from->request_vote_result.pre_vote;
      break;
    case RAFT_INSTALL_SNAPSHOT:
      to->term = from->install_snapshot.term;
      to->index = from->install_snapshot.last_index;
      to->index_term = from->install_snapshot.last_term;
      break;
    case RAFT_TIMEOUT_NOW:
      to->term = from->timeout_now.term;
      to->index = from->timeout_now.last_log_index;
      to->index_term = from->timeout_now.last_log_term;
      break;
  }
}

static int describe_messages(raft_engine* engine, const struct raft_update* update,
                             raft_engine_output* out) {
  unsigned count = update->messages.n;
  if (count > engine->messages_size) {
    raft_engine_message* more = realloc(engine->messages, count * sizeof *more);
    if (more == NULL) return RAFT_NOMEM;
    engine->messages = more;
    engine->messages_size = count;
  }
  for (unsigned i = 0; i < count; ++i)
    describe_message(&update->messages.batch[i], &engine->messages[i]);
  out->messages = engine->messages;
  out->message_count = count;
  return 0;
}

// raft_step, and its update in our words. Frees what the update hands to its caller: the token of a
// batch that is to be persisted, the engine's own barrier, the configuration of a snapshot to
// install.
static int step(raft_engine* engine, uint64_t now_ms, struct raft_event* event,
                raft_engine_output* out) {
  struct raft_update update;
  memset(out, 0, sizeof *out);
  memset(&update, 0, sizeof update);
  event->time = now_ms;
  event->capacity = 0;
  int rv = raft_step(&engine->raft, event, &update);
  if (rv != 0) return rv;
  out->hard_state_changed =
      (update.flags & ((RAFT_UPDATE_CURRENT_TERM) | (RAFT_UPDATE_VOTED_FOR))) != 0;
  out->state_changed = (update.flags & (RAFT_UPDATE_STATE)) != 0;
  if (update.flags & (RAFT_UPDATE_ENTRIES)) {
    out->first_index = update.entries.index;
    out->count = update.entries.n;
    out->own_barrier = update.entries.batch == &engine->raft.barrier;
    raft_free(update.entries.batch[0].batch);
  }
  if (update.flags & (RAFT_UPDATE_SNAPSHOT)) {
    out->install = true;
    raft_configuration_close(&update.snapshot.metadata.configuration);
  }
  return (update.flags & (RAFT_UPDATE_MESSAGES)) ? describe_messages(engine, &update, out) : 0;
}

static struct raft_event event_of(enum raft_event_type type) {
  struct raft_event event;
  memset(&event, 0, sizeof event);
  event.type = type;
  return event;
}

int raft_engine_start(raft_engine* engine, uint64_t now_ms, uint64_t term, uint64_t voted_for,
                      const raft_engine_snapshot* snapshot, uint64_t first_index,
                      const raft_engine_entry* entries, unsigned count, raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_START);
  struct raft_snapshot_metadata metadata;
  void* token;
  memset(out, 0, sizeof *out);
  int rv = make_entries(engine, entries, count, &token);
  if (rv != 0) return rv;
  event.start.term = term;
  event.start.voted_for = voted_for;
  event.start.start_index = first_index;
  event.start.n_entries = count;
  if (count > 0) {  // on failure libraft frees this array and its token, so it cannot be ours
    event.start.entries = raft_malloc(count * sizeof *event.start.entries);
    if (event.start.entries == NULL) rv = RAFT_NOMEM;
    if (rv == 0) memcpy(event.start.entries, engine->entries, count * sizeof *engine->entries);
  }
  if (rv == 0 && snapshot != NULL) {
    rv = make_metadata(snapshot, &metadata);  // libraft takes the configuration over
    event.start.metadata = &metadata;
  }
  bool stepped = rv == 0;
  if (stepped) rv = step(engine, now_ms, &event, out);
  clear_changes(engine, count);
  if (rv == 0 || !stepped) {
    raft_free(token);
    raft_free(event.start.entries);
  }
  return rv;
}

static int receive_append(raft_engine* engine, uint64_t now_ms, const raft_engine_message* from,
                          struct raft_event* event, raft_engine_output* out) {
  void* token;  // freed by libraft, or by step() when the entries are to be persisted
  int rv = make_entries(engine, from->entries, from->count, &token);
  if (rv != 0) return rv;
  event->receive.message->append_entries.entries = engine->entries;
  event->receive.message->append_entries.n_entries = from->count;
  rv = step(engine, now_ms, event, out);
  clear_changes(engine, from->count);
  return rv;
}

static int receive_install(raft_engine* engine, uint64_t now_ms, const raft_engine_message* from,
                           struct raft_event* event, raft_engine_output* out) {
  struct raft_install_snapshot* to = &event->receive.message->install_snapshot;
  // libraft would drop it too, and leak its configuration.
  if (engine->raft.snapshot.installing) return 0;
  int rv = make_configuration(&from->snapshot.configuration, &to->conf);
  if (rv != 0) return rv;
  to->conf_index = from->snapshot.configuration_index;
  return step(engine, now_ms, event, out);  // the configuration is freed by libraft, or by step()
}

static void build_message(const raft_engine_message* from, const char* address,
                          struct raft_message* to) {
  memset(to, 0, sizeof *to);
  to->type = (enum raft_message_type)from->type;
  to->server_id = from->peer;
  to->server_address = address;
  switch (to->type) {
    case RAFT_APPEND_ENTRIES:
      to->append_entries.term = from->term;
      to->append_entries.prev_log_index = from->index;
      to->append_entries.prev_log_term = from->index_term;
      to->append_entries.leader_commit = from->commit;
      break;
    case RAFT_APPEND_ENTRIES_RESULT:
      to->append_entries_result.version = 2;
      to->append_entries_result.term = from->term;
      to->append_entries_result.rejected = from->rejected;
      to->append_entries_result.last_log_index = from->index;
      break;
    case RAFT_REQUEST_VOTE:
      to->request_vote.version = 2;
      to->request_vote.term = from->term;
      to->request_vote.candidate_id = from->peer;
      to->request_vote.last_log_index = from->index;
      to->request_vote.last_log_term = from->index_term;
      to->request_vote.disrupt_leader = from->flag;
      to->request_vote.pre_vote = from->pre_vote;
      break;
    case RAFT_REQUEST_VOTE_RESULT:
      to->request_vote_result.version = 2;
      to->request_vote_result.term = from->term;
      to->request_vote_result.vote_granted = from->flag;
      to->request_vote_result.pre_vote = from->pre_vote;
      break;
    case RAFT_INSTALL_SNAPSHOT:
      to->install_snapshot.term = from->term;
      to->install_snapshot.last_index = from->index;
      to->install_snapshot.last_term = from->index_term;
      break;
    case RAFT_TIMEOUT_NOW:
      to->timeout_now.term = from->term;
      to->timeout_now.last_log_index = from->index;
      to->timeout_now.last_log_term = from->index_term;
      break;
  }
}

int raft_engine_receive(raft_engine* engine, uint64_t now_ms, const raft_engine_message* message,
                        raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_RECEIVE);
  struct raft_message built;
  char address[address_bytes];
  write_address(message->peer, address);
  build_message(message, address, &built);
  event.receive.message = &built;
  memset(out, 0, sizeof *out);
  if (message->type == raft_engine_append)
    return receive_append(engine, now_ms, message, &event, out);
  if (message->type == raft_engine_install)
    return receive_install(engine, now_ms, message, &event, out);
  return step(engine, now_ms, &event, out);
}

int raft_engine_persisted_entries(raft_engine* engine, uint64_t now_ms, uint64_t index,
                                  raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_PERSISTED_ENTRIES);
  event.persisted_entries.index = index;
  return step(engine, now_ms, &event, out);
}

int raft_engine_persisted_snapshot(raft_engine* engine, uint64_t now_ms,
                                   const raft_engine_snapshot* snapshot, raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_PERSISTED_SNAPSHOT);
  memset(out, 0, sizeof *out);
  int rv = make_metadata(snapshot, &event.persisted_snapshot.metadata);
  if (rv != 0) return rv;
  event.persisted_snapshot.last = true;
  return step(engine, now_ms, &event, out);  // libraft takes the configuration over
}

int raft_engine_took_snapshot(raft_engine* engine, uint64_t now_ms,
                              const raft_engine_snapshot* snapshot, unsigned trailing,
                              raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_SNAPSHOT);
  memset(out, 0, sizeof *out);
  int rv = make_metadata(snapshot, &event.snapshot.metadata);
  if (rv != 0) return rv;
  event.snapshot.trailing = trailing;
  return step(engine, now_ms, &event, out);  // libraft takes the configuration over
}

int raft_engine_timeout(raft_engine* engine, uint64_t now_ms, raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_TIMEOUT);
  return step(engine, now_ms, &event, out);
}

int raft_engine_submit(raft_engine* engine, uint64_t now_ms, const raft_engine_entry* entries,
                       unsigned count, raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_SUBMIT);
  void* token;
  memset(out, 0, sizeof *out);
  int rv = make_entries(engine, entries, count, &token);
  if (rv != 0) return rv;
  event.submit.entries = engine->entries;
  event.submit.n = count;
  rv = step(engine, now_ms, &event, out);  // frees the token, as the entries are to be persisted
  if (rv != 0) raft_free(token);
  clear_changes(engine, count);
  return rv;
}

int raft_engine_catch_up(raft_engine* engine, uint64_t now_ms, uint64_t server,
                         raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_CATCH_UP);
  event.catch_up.server_id = server;
  return step(engine, now_ms, &event, out);
}

int raft_engine_transfer(raft_engine* engine, uint64_t now_ms, uint64_t server,
                         raft_engine_output* out) {
  struct raft_event event = event_of(RAFT_TRANSFER);
  event.transfer.server_id = server;
  return step(engine, now_ms, &event, out);
}

int raft_engine_configuration_committed(raft_engine* engine, uint64_t now_ms,
                                        raft_engine_output* out) {
  const struct raft_configuration* in_use = &engine->raft.configuration;
  struct raft_event event = event_of(RAFT_CONFIGURATION);
  memset(out, 0, sizeof *out);
  event.configuration.index = engine->raft.configuration_uncommitted_index;
  raft_configuration_init(&event.configuration.conf);
  for (unsigned i = 0; i < in_use->n; ++i) {
    const struct raft_server* server = &in_use->servers[i];
    int rv = raft_configuration_add(&event.configuration.conf, server->id, server->address,
                                    server->role);
    if (rv != 0) {
      raft_configuration_close(&event.configuration.conf);
      return rv;
    }
  }
  return step(engine, now_ms, &event, out);  // libraft takes the configuration over
}
