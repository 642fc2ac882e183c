#include "tests/docs/figures.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "common/files.h"
#include "tests/places.h"

namespace ddl::figures {
namespace {

TEST_CASE("The committed figures are those that ddl-figures draws") {
  for (const Figure& figure : AllFigures()) {
    INFO(figure.name << ": draw it with `build/<preset>/tests/ddl-figures docs/pictures`");
    const auto committed = ReadFile(SourcePath("docs/pictures/" + figure.name));
    REQUIRE(committed.ok());
    CHECK(*committed == figure.svg);
  }
}

TEST_CASE("The paper's explanation shows every figure") {
  const auto paper = ReadFile(SourcePath("docs/paper.md"));
  REQUIRE(paper.ok());
  for (const Figure& figure : AllFigures()) {
    INFO(figure.name);
    CHECK(paper->find("(pictures/" + figure.name + ")") != std::string::npos);
  }
}

TEST_CASE("The drawn update keeps, replaces and reflects as its matrix does") {
  // (I - beta k k^T) X + beta v k, entry by entry.
  const Vector k{0.6, 0.8};
  const Vector state{1.5, -2};
  for (const double beta : {0.0, 0.5, 1.0, 2.0}) {
    const double value = 0.75;
    const double xx = 1 - beta * 0.36;
    const double xy = -beta * 0.48;
    const double yy = 1 - beta * 0.64;
    const Vector next = DeltaUpdate(state, k, value, beta);
    CHECK(next.x == Approx(xx * 1.5 + xy * -2 + beta * value * 0.6));
    CHECK(next.y == Approx(xy * 1.5 + yy * -2 + beta * value * 0.8));
  }
}

}  // namespace
}  // namespace ddl::figures
