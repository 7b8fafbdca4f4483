#ifndef OMNICART_CLUSTER_RAFT_RAFT_ENGINE_STRUCT_H
#define OMNICART_CLUSTER_RAFT_RAFT_ENGINE_STRUCT_H

// What a raft_engine is made of; for C only.
#include <raft.h>

#include "cluster/raft/raft_engine.h"

#if RAFT_VERSION_NUMBER != 2201
#error "the ownership of buffers below is that of libraft 0.22.1"
#endif

struct raft_engine {
  struct raft raft;
  struct raft_entry* entries;  // of the batch at hand; libraft keeps none of it
  unsigned entries_size;
  raft_engine_message* messages;  // of the last output
  unsigned messages_size;
};

#endif
