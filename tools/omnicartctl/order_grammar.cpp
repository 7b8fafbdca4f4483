#include "tools/omnicartctl/grammar.hpp"

namespace omnicart::ctl {
namespace {

constexpr const char* stuck_footer =
    R"(Orders that have owed somebody something for a while, or whose payment was lost. Exit code 1 when there are any.
Examples:
  omnicartctl orders stuck
  omnicartctl orders stuck --older 10m --json | jq -r '.items[].order_id')";

constexpr const char* explain_footer =
    R"(What the order waits for, of whom, and what can be done about it. Examples:
  omnicartctl orders explain 4f1c…
  omnicartctl orders explain 4f1c… --json | jq .state)";

constexpr const char* retry_footer =
    R"(Asks at once what is asked again by itself sooner or later, and once more what the provider refused. Examples:
  omnicartctl orders retry 4f1c…)";

constexpr const char* resolve_footer =
    R"(For what an order cannot bring to an end by itself; --note is kept with the order for ever. Ways:
  give_up       stop waiting for the provider's word: the payment is voided, the order rejected
  refunds_done  the buyer was given by other means what the provider owes them
  stock_done    what is owed to stock records was put right by hand
  written_off   a payment that the provider would not capture will not come
Examples:
  omnicartctl orders resolve 4f1c… give_up --note "the provider is down since noon"
  omnicartctl orders resolve 4f1c… refunds_done --note "bank transfer of 2 March")";

constexpr const char* reconcile_footer =
    R"(Compares what the provider entered with what the orders know. Without --mend nothing is changed. Mended is what needs
no judgement: a charge or authorisation for no order is given back, an order that does not know is told.
Exit code 1 when something is left. Examples:
  omnicartctl payments reconcile
  omnicartctl payments reconcile --mend)";

CLI::App& add_order_verb(CLI::App& group, command_line& into, verb what, const char* name, const char* says,
                         const char* footer) {
  auto& made = add_verb(group, into, what, name, says, footer);
  made.add_option("order", into.entity_id, "Which order")->type_name("ID")->required();
  return made;
}

}  // namespace

void describe_orders(CLI::App& app, command_line& into) {
  auto& group = add_group(app, "orders", "Orders that do not get on");
  auto& stuck = add_verb(group, into, verb::orders_stuck, "stuck", "Which orders wait for somebody", stuck_footer);
  stuck
      .add_option_function<std::string>(
          "--older", [&into](const std::string& text) { into.older = duration_or_throw("--older", text); },
          "Only what has waited so long (1m)")
      ->type_name("SPAN");
  stuck.add_option("--limit", into.limit, "At most so many (100)")->type_name("N")->check(CLI::Range(1, 1'000));
  add_order_verb(group, into, verb::orders_explain, "explain", "What an order waits for", explain_footer);
  add_order_verb(group, into, verb::orders_retry, "retry", "Have an order ask again", retry_footer);
  auto& resolve = add_order_verb(group, into, verb::orders_resolve, "resolve", "End what cannot end by itself",
                                 resolve_footer);
  resolve.add_option("how", into.resolution, "give_up, refunds_done, stock_done or written_off")
      ->type_name("HOW")
      ->required()
      ->check(CLI::IsMember({"give_up", "refunds_done", "stock_done", "written_off"}));
  resolve.add_option("--note", into.why, "What was done, in a line")->type_name("TEXT")->required();

  auto& payments = add_group(app, "payments", "The shop's payments and the provider's ledger");
  auto& reconcile = add_verb(payments, into, verb::payments_reconcile, "reconcile", "Compare both ledgers",
                             reconcile_footer);
  reconcile.add_flag("--mend", into.mend, "Put right what needs no judgement");
}

}  // namespace omnicart::ctl
