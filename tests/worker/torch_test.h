// Catch2 beside LibTorch: both define CHECK, and a test means Catch2's.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#undef CHECK
#include <catch2/catch.hpp>
