// Catch2 before 2.13.5 wants its main compiled into one file; later versions bring it in a library, and this is left
// out.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
