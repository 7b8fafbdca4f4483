// The main() of every Boost.Test program here.
#define BOOST_TEST_MODULE omnicart
#include <boost/test/unit_test.hpp>
