#include "shell.hpp"

namespace omnicart::ctl {
namespace {

using testing::has;
using testing::shell;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ctl_orders, shell)

BOOST_AUTO_TEST_CASE(stuck_orders_are_listed_and_end_with_1) {
  node.answers({200, R"({"items":[],"count":0})"});
  node.answers({200, R"({"items":[{"order_id":"o1","status":"pending","seconds":90}],"count":1})"});
  const auto none = (*this)({"orders", "stuck"});
  BOOST_TEST((none.code == exit_code::ok && has(none.all(), "no order is stuck")));
  const auto one = (*this)({"orders", "stuck", "--older", "1500ms", "--limit", "7"});
  BOOST_TEST((one.code == exit_code::failed && has(one.all(), "o1  pending")));
  BOOST_TEST(node.asked().at(0) == "GET /orders/stuck?older_s=60&limit=100");
  BOOST_TEST(node.asked().at(1) == "GET /orders/stuck?older_s=2&limit=7");
}

BOOST_AUTO_TEST_CASE(an_order_is_explained_retried_and_resolved) {
  node.answers({200, R"({"order_id":"o/1","status":"pending","owes":[{"what":"charge","to":"payment/o1","means":"no word","advice":"wait"}]})"});
  node.answers({200, R"({"order_id":"o/1","status":"paid","owes":false})"});
  node.answers({200, R"({"order_id":"o/1","status":"pending","owes":true})"});
  BOOST_TEST(has((*this)({"orders", "explain", "o/1"}).all(), "! charge > payment/o1: no word"));
  BOOST_TEST(has((*this)({"orders", "retry", "o/1"}).all(), "owes nobody anything"));
  BOOST_TEST(has((*this)({"orders", "resolve", "o/1", "give_up", "--note", "x"}).all(), "still owes something"));
  BOOST_TEST(node.asked().at(0) == "GET /orders/o%2F1/explain");
  BOOST_TEST(node.asked().at(1) == "POST /orders/o%2F1/retry {}");
  BOOST_TEST(node.asked().at(2) == R"(POST /orders/o%2F1/resolve {"how":"give_up","note":"x"})");
}

BOOST_AUTO_TEST_CASE(reconciliation_reports_unless_told_to_mend) {
  const char* found = R"({"agree":false,"orders":2,"keys":3,"in_flight":0,"left_out":0,"findings":[
      {"order_id":"o1","what":"charged_without_order","detail":"1.00 GBP","mended":false}]})";
  node.answers({200, found});
  node.answers({200, R"({"agree":true,"orders":2,"keys":3,"in_flight":0,"left_out":0,"findings":[
      {"order_id":"o1","what":"charged_without_order","detail":"1.00 GBP","mended":true}]})"});
  const auto report = (*this)({"payments", "reconcile"});
  BOOST_TEST((report.code == exit_code::failed && has(report.all(), "o1  charged_without_order") && has(report.all(), "differ")));
  const auto mended = (*this)({"payments", "reconcile", "--mend"});
  BOOST_TEST((mended.code == exit_code::ok && has(mended.all(), "mended  o1") && has(mended.all(), "agree")));
  BOOST_TEST(node.asked().at(0) == "GET /payments/reconcile");
  BOOST_TEST(node.asked().at(1) == "POST /payments/reconcile {}");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace omnicart::ctl
