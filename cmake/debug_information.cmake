# The debug information of what is shipped lies beside the program, where gdb and perf find it by
# themselves: what is installed, and read from disk at each start, has 6 MB instead of 46.
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT HBK_SANITIZE)
  add_custom_command(TARGET hbk POST_BUILD
    COMMAND ${CMAKE_OBJCOPY} --only-keep-debug $<TARGET_FILE:hbk> $<TARGET_FILE:hbk>.debug
    COMMAND ${CMAKE_OBJCOPY} --strip-debug --remove-section=.gnu_debuglink
            --add-gnu-debuglink=$<TARGET_FILE:hbk>.debug $<TARGET_FILE:hbk>
    BYPRODUCTS hbk.debug VERBATIM)
endif()
