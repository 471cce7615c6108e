// SPDX-License-Identifier: MIT
#pragma once
// A model as a table: node, output shape, parameters, MACs, bytes.

#include <mote/model/model.hpp>

MOTE_BEGIN_NAMESPACE

/// Columns padded to their widest cell, two spaces apart; the first row is the head. Cells that start with a digit are
/// set to the right; of cells longer than `widest` (0: of any length) start and end are shown.
template <class Lazy = void>
std::string to_table(std::vector<std::vector<std::string>> rows, std::size_t widest = 0) {
    for (auto& row : rows) {
        for (std::string& cell : row) {
            const std::size_t part = widest / 2 - 1;
            if (widest >= 8 && cell.size() > widest) cell = cell.substr(0, part) + ".." + cell.substr(cell.size() - part);
        }
    }
    std::vector<std::size_t> width;
    for (const auto& row : rows) {
        if (row.size() > width.size()) width.resize(row.size(), 0);
        for (std::size_t i = 0; i < row.size(); ++i) width[i] = row[i].size() > width[i] ? row[i].size() : width[i];
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const bool number =
                !row[i].empty() && row[i][0] >= '0' && row[i][0] <= '9' && row[i].find('x') == std::string::npos;
            const std::string space(width[i] - row[i].size(), ' ');
            line += (i == 0 ? "" : "  ") + (number ? space + row[i] : row[i] + space);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

/// One line a node, then the sums; `widest` as of to_table().
template <class List>
std::string to_string(const BasicModel<List>& model, std::size_t widest = 0) {
    std::vector<std::vector<std::string>> rows{{"node", "layer", "output", "element", "parameters", "MACs", "weight bytes"}};
    for (const ValueId id : model.inputs()) {
        const Value& value = model.value(id);
        rows.push_back({value.name, "input", to_string(value.shape), element_name(value.element), "0", "0", "0"});
    }
    for (std::size_t i = 0; i < model.nodes().size(); ++i) {
        const Node& node = model.nodes()[i];
        const Value& value = model.value(node.outputs[0]);
        const Cost cost = model.cost(i);
        rows.push_back({node.name, kind_name<List>(node), to_string(value.shape), element_name(value.element),
                        concat(cost.parameters), concat(cost.macs), concat(cost.weight_bytes)});
    }
    const Cost cost = model.cost();
    rows.push_back({"sum", "", "", "", concat(cost.parameters), concat(cost.macs), concat(cost.weight_bytes)});
    return to_table(std::move(rows), widest);
}

/// Writes the table to the standard output.
template <class List>
void print(const BasicModel<List>& model) {
    std::fputs(to_string(model).c_str(), stdout);
}

MOTE_END_NAMESPACE
