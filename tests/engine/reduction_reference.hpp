// SPDX-License-Identifier: MIT
#pragma once
// What each reduction is, in double.

#include <mote/core/reduction.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace reference {

using mote::Reduction;

inline double reduced(Reduction function, const std::vector<double>& x) {
    double sum = 0, squares = 0, magnitudes = 0, product = 1, powers = 0;
    for (const double v : x) {
        sum += v;
        squares += v * v;
        magnitudes += std::fabs(v);
        product *= v;
        powers += std::exp(v);
    }
    switch (function) {
        case Reduction::sum:
            return sum;
        case Reduction::mean:
            return sum / static_cast<double>(x.size());
        case Reduction::max:
            return *std::max_element(x.begin(), x.end());
        case Reduction::min:
            return *std::min_element(x.begin(), x.end());
        case Reduction::prod:
            return product;
        case Reduction::l1:
            return magnitudes;
        case Reduction::l2:
            return std::sqrt(squares);
        case Reduction::log_sum:
            return std::log(sum);
        case Reduction::log_sum_exp:
            return std::log(powers);
        default:
            return squares;
    }
}

}  // namespace reference
