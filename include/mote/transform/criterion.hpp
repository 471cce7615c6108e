// SPDX-License-Identifier: MIT
#pragma once
// Criteria: how much a model is thought to need a weight or a channel.

#include <mote/train/sensitivity.hpp>

#include <variant>

MOTE_BEGIN_NAMESPACE

/// The magnitude of the weights (Han et al. 2015; of filters Li et al. 2017).
struct L1 {};

struct TaylorOptions {
    std::size_t samples = 512;  ///< at most so many, from the start of the set; 0 for all
    Loss loss = cross_entropy();
    GradientOptions gradient{};
};

/// First-order sensitivity: the sum over batches of |w * dL/dw|, of a channel |sum of w * dL/dw over its filter| (Molchanov et
/// al. 2017, section 2.2, and 2019, section 3.1).
class Taylor {
  public:
    /// `data` is copied (cheap for datasets that share their samples).
    template <Dataset D>
    explicit Taylor(D data, TaylorOptions options = {}) : options_(std::move(options)) {
        const auto all = static_cast<std::size_t>(data.size());
        size_ = options_.samples == 0 || options_.samples > all ? all : options_.samples;
        load_ = [data = std::move(data)](std::size_t index, std::span<float> values) {
            return static_cast<std::int64_t>(data.load(index, values));
        };
    }

    // A Dataset, for for_each_gradient.
    std::size_t size() const noexcept { return size_; }
    std::int64_t load(std::size_t index, std::span<float> values) const { return load_(index, values); }
    const TaylorOptions& options() const noexcept { return options_; }

  private:
    TaylorOptions options_;
    std::size_t size_ = 0;
    std::function<std::int64_t(std::size_t, std::span<float>)> load_;
};

using Criterion = std::variant<L1, Taylor>;

/// Whether what goes is chosen in each layer (or group of coupled layers) alone, or over the whole model.
enum class Scope : std::uint8_t { per_layer, global };

/// What a transform did to the sizes of a model.
struct PruneReport {
    Cost before{};
    Cost after{};
    std::uint64_t removed = 0;  ///< weights that became zero, or channels that went
    std::uint64_t total = 0;    ///< of how many that could have
    std::string text{};         ///< a table, a line a layer or group
};

namespace detail {

/// A weight tensor of a model: a contraction's, of rank above 1.
struct WeightRef {
    std::size_t node = 0;
    std::string_view field{};
    std::span<const float> values{};
};

/// All weights of contractions in f32, in the model's order. Throws for weights in another precision.
template <class List>
std::vector<WeightRef> weights_of(const Graph<List>& graph, const char* what) {
    std::vector<WeightRef> result;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        visit(graph, graph.nodes[i], [&]<class L>(const L& layer) {
            if (L::family != Family::contraction) return;
            for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
                if (field.role != Role::weight) return;
                if constexpr (std::is_same_v<std::remove_cvref_t<decltype(tensor)>, Tensor<f32>>) {
                    result.push_back({i, field.name, tensor.values()});
                } else {
                    fail(concat(what, ": node '", graph.nodes[i].name, "' (", L::kind, "): its ", field.name,
                                " is no f32; prune before quantize"));
                }
            });
        });
    }
    return result;
}

/// Calls visit(product) for each batch, where product(w) gives w * dL/dw for all elements of weight w.
template <class List, class Visit>
void for_each_sensitivity(const BasicModel<List>& model, const std::vector<WeightRef>& weights, const Taylor& taylor,
                          const Visit& visit) {
    for_each_gradient(model, taylor, taylor.options().loss, taylor.options().gradient,
                      [&](std::span<const ParameterGradient> gradients) {
                          visit([&](std::size_t w) {
                              std::vector<double> product;
                              for (const ParameterGradient& g : gradients) {
                                  if (g.node != model.nodes()[weights[w].node].name || g.field != weights[w].field) continue;
                                  for (std::size_t i = 0; i < g.value.size(); ++i) {
                                      product.push_back(static_cast<double>(g.value[i]) * static_cast<double>(g.gradient[i]));
                                  }
                              }
                              return product;
                          });
                      });
}

}  // namespace detail

MOTE_END_NAMESPACE
