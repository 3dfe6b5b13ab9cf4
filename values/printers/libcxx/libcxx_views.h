// The printers of libc++'s types, of versions 14 to 20; each is the ViewFunction of the types that its comment names.
// values/printers/libcxx/libcxx_types.cpp has the table of names. The labels are those of
// values/printers/libstdcxx/libstdcxx_views.h.
//
// Sources: libc++ 14, 15, 16 and 19, the headers of the types; 20 for the members that were parts of pairs before.
#pragma once

#include "values/printers/library_view.h"

#include <optional>

namespace inspect::libcxx {

using View = std::optional<LibraryView>;

View string_view(const Value &value, ChildRange wanted, ValueEnvironment &environment); // std::string_view
View string(const Value &value, ChildRange wanted, ValueEnvironment &environment);      // both layouts
View path(const Value &value, ChildRange wanted, ValueEnvironment &environment);

View vector(const Value &value, ChildRange wanted, ValueEnvironment &environment); // and vector<bool>
View array(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View deque(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View span(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View initializer_list(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View bitset(const Value &value, ChildRange wanted, ValueEnvironment &environment);

View list(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View forward_list(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View map(const Value &value, ChildRange wanted, ValueEnvironment &environment);           // and multimap
View set(const Value &value, ChildRange wanted, ValueEnvironment &environment);           // and multiset
View unordered_map(const Value &value, ChildRange wanted, ValueEnvironment &environment); // and unordered_multimap
View unordered_set(const Value &value, ChildRange wanted, ValueEnvironment &environment); // and unordered_multiset

View tuple(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View optional(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View variant(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View any(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View function(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View atomic(const Value &value, ChildRange wanted, ValueEnvironment &environment); // and atomic_flag
View complex(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View reference_wrapper(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View unique_ptr(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View shared_ptr(const Value &value, ChildRange wanted, ValueEnvironment &environment); // and weak_ptr
View error_code(const Value &value, ChildRange wanted, ValueEnvironment &environment); // and error_condition
View exception_ptr(const Value &value, ChildRange wanted, ValueEnvironment &environment);

View duration(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View time_point(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View mutex(const Value &value, ChildRange wanted, ValueEnvironment &environment); // timed, recursive ones too
View shared_mutex(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View condition_variable(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View thread(const Value &value, ChildRange wanted, ValueEnvironment &environment); // jthread, thread::id

View vector_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View bit_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View list_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View forward_list_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View tree_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View deque_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment);
View hash_iterator(const Value &value, ChildRange wanted, ValueEnvironment &environment);

} // namespace inspect::libcxx
