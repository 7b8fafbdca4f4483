#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "tools/omnicartctl/command_line.hpp"

// What the parts of the command line's grammar are made with.
namespace omnicart::ctl {

// A subcommand that, once parsed, makes `what` the verb.
CLI::App& add_verb(CLI::App& to, command_line& into, verb what, const char* name, const char* says,
                   const char* footer);
// A subcommand that only holds others.
CLI::App& add_group(CLI::App& to, const char* name, const char* says);

// For CLI11: parse `text`, or throw what its parser reports to the person.
duration_ms duration_or_throw(const char* option, const std::string& text);
std::uint64_t node_number_or_throw(const char* option, const std::string& text);

// `keys …` and `audit …` (security_grammar.cpp).
void describe_security(CLI::App& app, command_line& into);
// `cluster …` (cluster_grammar.cpp).
void describe_cluster(CLI::App& app, command_line& into);
// `orders …` and `payments …` (order_grammar.cpp).
void describe_orders(CLI::App& app, command_line& into);
// `backup …` (backup_grammar.cpp).
void describe_backup(CLI::App& app, command_line& into);
// `catalogue …` and `projection …` (catalogue_grammar.cpp).
void describe_catalogue(CLI::App& app, command_line& into);
// `locations …` (location_grammar.cpp).
void describe_locations(CLI::App& app, command_line& into);

}  // namespace omnicart::ctl
