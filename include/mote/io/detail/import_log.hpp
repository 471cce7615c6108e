// SPDX-License-Identifier: MIT
#pragma once
// ImportLog: what an importer notes as not supported, told at once at the end; and names that no value has yet.

#include <mote/tensor/error.hpp>

#include <unordered_map>
#include <unordered_set>
#include <vector>

MOTE_BEGIN_NAMESPACE

namespace detail {

class ImportLog {
  protected:
    void note(std::string_view what, std::string_view why) { notes_.push_back(concat(what, ": ", why)); }

    /// Whether the action ended without an error; one is noted.
    template <class Action>
    bool guarded(const std::string& what, Action action) {
#if MOTE_EXCEPTIONS
        try {
            action();
        } catch (const Error& error) {
            note(what, error.what());
            return false;
        }
#else
        static_cast<void>(what);
        action();
#endif
        return true;
    }

    /// Throws one Error with all notes, where there are any.
    void tell_notes(const std::string& file) const {
        if (notes_.empty()) return;
        std::string text;
        for (const std::string& n : notes_) text += concat("\n  ", n);
        mote::fail("'", file, "': ", notes_.size(), " things in it are not supported:", text);
    }

    /// A name that nothing has yet.
    std::string unused(std::string_view wanted) {
        const std::string base(wanted.empty() ? std::string_view("value") : wanted);
        std::string name = base;
        std::size_t& next = next_name_[base];
        while (!names_.insert(name).second) name = concat(base, "_", ++next);
        return name;
    }
    void reserve_name(const std::string& name) {
        names_.insert(name);
    }

  private:
    std::vector<std::string> notes_;
    std::unordered_set<std::string> names_;
    std::unordered_map<std::string, std::size_t> next_name_;
};

}  // namespace detail

MOTE_END_NAMESPACE
