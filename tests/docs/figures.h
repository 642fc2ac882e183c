// The figures of docs/paper.md, drawn from the formulas that they show. Pure.
#pragma once

#include <string>
#include <vector>

namespace ddl::figures {

struct Figure {
  std::string name;  // Of the file below docs/pictures, with .svg.
  std::string svg;
};

std::vector<Figure> AllFigures();

// X' = X + beta k (v - k X) for one channel in the plane.
struct Vector {
  double x = 0;
  double y = 0;
};
Vector DeltaUpdate(const Vector& state, const Vector& direction, double value, double beta);

}  // namespace ddl::figures
