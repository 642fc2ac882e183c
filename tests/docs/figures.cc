#include "tests/docs/figures.h"

#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/docs/svg.h"

namespace ddl::figures {
namespace {

constexpr char kKeep[] = "#eaf3fa";
constexpr char kReplace[] = "#eaf7f2";
constexpr char kReflect[] = "#fbeee6";

// Gate values of the three regimes of the metrics: below 0.5, between, above 1.5.
void DrawRegimes(Plot* plot) {
  plot->Band(0, 0.5, kKeep, "keeps");
  plot->Band(0.5, 1.5, kReplace, "replaces");
  plot->Band(1.5, 2, kReflect, "reflects");
}

std::string Update() {
  Drawing drawing(640, 470, "One delta update in the plane for five values of the gate");
  const Plot plane(&drawing, {40, 30}, {600, 450}, {-1.8, 2.8, 1, ""}, {-1, 2, 1, ""});
  const Vector state{2.2, 1.3};
  const double angle = std::numbers::pi / 12;
  const Vector direction{std::cos(angle), std::sin(angle)};
  constexpr double kValue = 0.6;
  drawing.Line(plane.At(-direction.x, -direction.y), plane.At(3 * direction.x, 3 * direction.y),
               kGrey, 1, "4 4");
  drawing.Text({plane.At(2.1, 0).x, plane.At(0, 0.38).y}, "span of k", "start", kGrey);
  drawing.Arrow(plane.At(0, 0), plane.At(direction.x, direction.y), kBlack, 3);
  drawing.Text({plane.At(0.85, 0).x, plane.At(0, 0.08).y}, "k");
  const Place target = plane.At(kValue * direction.x, kValue * direction.y);
  drawing.Dot(target, kOrange, 5);
  drawing.Text({target.x + 6, target.y + 22}, "v k", "start", kOrange);
  const Vector far = DeltaUpdate(state, direction, kValue, 2);
  drawing.Line(plane.At(state.x, state.y), plane.At(far.x, far.y), kBlue, 1, "2 3");
  const Vector replaced = DeltaUpdate(state, direction, kValue, 1);
  drawing.Line(plane.At(replaced.x, replaced.y), target, kOrange, 1, "2 3");
  for (const double beta : {0.0, 0.5, 1.0, 1.5, 2.0}) {
    const Vector next = DeltaUpdate(state, direction, kValue, beta);
    const Place end = plane.At(next.x, next.y);
    drawing.Arrow(plane.At(0, 0), end, kBlue, beta == 0 ? 3 : 1);
    drawing.Text({end.x + 6, end.y - 8}, absl::StrFormat("beta %g", beta), "start", kBlue);
  }
  return drawing.Svg();
}

std::string Spectrum() {
  Drawing drawing(640, 400, "Eigenvalues of I - beta k k^T against the gate");
  Plot plot(&drawing, {70, 40}, {610, 340}, {0, 2, 0.5, "gate beta"}, {-1, 1.5, 0.5, "eigenvalue"});
  DrawRegimes(&plot);
  plot.DrawAxes();
  plot.Curve({{0, 1}, {2, 1}}, kGrey);
  plot.Curve({{0, 1}, {2, -1}}, kBlue);
  drawing.Text({plot.At(1.1, 0).x, plot.At(0, 1.08).y}, "1, for the d - 1 directions across k",
               "start", kGrey);
  drawing.Text({plot.At(1.06, 0).x, plot.At(0, 0.05).y}, "1 - beta along k, and det A", "start",
               kBlue);
  drawing.Dot(plot.At(0, 1), kBlue);
  drawing.Dot(plot.At(1, 0), kBlue);
  drawing.Dot(plot.At(2, -1), kBlue);
  return drawing.Svg();
}

std::string Gate() {
  Drawing drawing(640, 400, "The gate beta = 2 sigmoid(z) against its logit");
  Plot plot(&drawing, {70, 40}, {610, 340}, {-6, 6, 2, "logit z = w . c + b"},
            {0, 2, 0.5, "beta = 2 sigmoid(z)"});
  const auto logit = [](double beta) { return std::log(beta / (2 - beta)); };
  plot.Band(-6, logit(0.5), kKeep, "keeps");
  plot.Band(logit(0.5), logit(1.5), kReplace, "replaces");
  plot.Band(logit(1.5), 6, kReflect, "reflects");
  plot.DrawAxes();
  std::vector<Place> curve;
  for (int i = -60; i <= 60; ++i) {
    const double z = i / 10.0;
    curve.push_back({z, 2 / (1 + std::exp(-z))});
  }
  plot.Curve(curve, kBlue);
  drawing.Dot(plot.At(0, 1), kBlue);
  drawing.Text({plot.At(0, 0).x + 10, plot.At(0, 1).y + 18}, "start: b = logit(1/2) = 0", "start",
               kBlue);
  return drawing.Svg();
}

std::string Contraction() {
  Drawing drawing(640, 400, "Error k^T X - v after repeated updates along one direction");
  Plot plot(&drawing, {70, 40}, {500, 340}, {0, 8, 1, "updates along the same k with the same v"},
            {-1, 1, 0.5, "error over its start, (1 - beta)^m"});
  plot.DrawAxes();
  struct Row {
    double beta;
    const char* colour;
    const char* dash;
    double label;
  };
  for (const Row& row :
       {Row{0.25, kBlue, "", 0.12}, Row{0.5, kGreen, "8 4", 0.0}, Row{1.0, kBlack, "2 3", -0.12},
        Row{1.5, kOrange, "10 3 2 3", -0.24}, Row{1.9, kPurple, "5 2", 0.45}}) {
    std::vector<Place> curve;
    for (int m = 0; m <= 8; ++m) curve.push_back({1.0 * m, std::pow(1 - row.beta, m)});
    plot.Curve(curve, row.colour, row.dash);
    drawing.Text({512, plot.At(0, row.label).y + 5}, absl::StrFormat("beta %g", row.beta), "start",
                 row.colour);
  }
  return drawing.Svg();
}

// A box of the sublayer's figure, with two lines of text.
void Stage(Drawing* drawing, double x, const std::string& name, const std::string& formula,
           const std::string& fill) {
  constexpr double kTop = 60;
  drawing->Box({x, kTop}, 170, 70, fill, kGrey);
  drawing->Text({x + 85, kTop + 30}, name, "middle");
  drawing->Text({x + 85, kTop + 52}, formula, "middle", kGrey);
}

std::string Sublayer() {
  Drawing drawing(860, 290, "A sublayer: compress, process, rewrite");
  Stage(&drawing, 110, "compress", "x = C(X), c = norm(x)", kKeep);
  Stage(&drawing, 330, "process", "h = F(c), k = h / |h|", "#ffffff");
  Stage(&drawing, 550, "rewrite", "X + beta k (v - kX)", kReplace);
  drawing.Text({18, 100}, "X");
  drawing.Text({18, 120}, "d x n", "start", kGrey);
  drawing.Arrow({60, 95}, {108, 95}, kBlack);
  drawing.Arrow({280, 95}, {328, 95}, kBlack);
  drawing.Text({304, 85}, "d", "middle", kGrey);
  drawing.Arrow({500, 95}, {548, 95}, kBlack);
  drawing.Text({524, 85}, "k", "middle", kBlue);
  drawing.Arrow({720, 95}, {780, 95}, kBlack);
  drawing.Text({790, 100}, "X'");
  drawing.Curve({{30, 80}, {30, 30}, {635, 30}}, kBlack);
  drawing.Arrow({635, 30}, {635, 58}, kBlack);
  drawing.Text({332, 22}, "the state itself: the identity path", "middle", kGrey);
  drawing.Curve({{195, 130}, {195, 180}, {600, 180}}, kOrange);
  drawing.Arrow({600, 180}, {600, 132}, kOrange);
  drawing.Text({400, 198}, "v = 4 sigmoid(W x + b), n values", "middle", kOrange);
  drawing.Curve({{165, 130}, {165, 230}, {660, 230}}, kGreen);
  drawing.Arrow({660, 230}, {660, 132}, kGreen);
  drawing.Text({400, 248}, "beta = 2 sigmoid(w . c + b), one number", "middle", kGreen);
  return drawing.Svg();
}

std::string Composition() {
  Drawing drawing(640, 400, "Two reflections are a rotation by twice the angle between them");
  const Plot plane(&drawing, {70, 20}, {570, 390}, {-1.35, 1.35, 1, ""}, {-0.5, 1.5, 1, ""});
  constexpr double kFirst = 2.766;
  const double between = std::numbers::pi / 6;
  const Vector first{std::cos(kFirst), std::sin(kFirst)};
  const Vector second{std::cos(kFirst + between), std::sin(kFirst + between)};
  const Vector start{1.2, 0.15};
  const Vector middle = DeltaUpdate(start, first, 0, 2);
  const Vector end = DeltaUpdate(middle, second, 0, 2);
  struct Row {
    Vector vector;
    const char* colour;
    const char* label;
  };
  for (const Row& row : {Row{start, kBlack, "X"}, Row{middle, kGreen, "X', reflected across k1"},
                         Row{end, kBlue, "X'', turned by 60 degrees"}}) {
    const Place tip = plane.At(row.vector.x, row.vector.y);
    drawing.Arrow(plane.At(0, 0), tip, row.colour, 3);
    drawing.Text({tip.x + 8, tip.y - 8}, row.label, "start", row.colour);
  }
  for (const auto& [k, label] : {std::pair(first, "k1"), std::pair(second, "k2")}) {
    const Place tip = plane.At(0.8 * k.x, 0.8 * k.y);
    drawing.Arrow(plane.At(0, 0), tip, kOrange, 2);
    drawing.Text({tip.x - 8, tip.y}, label, "end", kOrange);
  }
  return drawing.Svg();
}

}  // namespace

Vector DeltaUpdate(const Vector& state, const Vector& direction, double value, double beta) {
  const double correction = beta * (value - (direction.x * state.x + direction.y * state.y));
  return {state.x + correction * direction.x, state.y + correction * direction.y};
}

std::vector<Figure> AllFigures() {
  return {{"delta-update.svg", Update()},     {"delta-spectrum.svg", Spectrum()},
          {"delta-gate.svg", Gate()},         {"delta-contraction.svg", Contraction()},
          {"delta-sublayer.svg", Sublayer()}, {"delta-composition.svg", Composition()}};
}

}  // namespace ddl::figures
