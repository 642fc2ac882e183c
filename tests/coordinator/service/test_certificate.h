// A self-signed certificate for "localhost", made afresh.
#pragma once

#include <string>

namespace ddl::coordinator {

struct TestCertificate {
  std::string cert;  // PEM.
  std::string key;
};

TestCertificate MakeTestCertificate();

}  // namespace ddl::coordinator
