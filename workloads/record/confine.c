/* The two functions by which programs give themselves a filter. */
#include "workloads/record/confine.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "harness/base/jump.h"
#include "workloads/record/real.h"
#include "workloads/record/record.h"

_Atomic bool confine_here;

__thread bool confine_has_no_counter;

/* Records of such a thread could have no stamp. */
static void confine_counter(void)
{
    if (!record_spool || record_is_counted())
        return;
    confine_has_no_counter = true;
    if (record_stream)
        record_stream->chunk = NULL;
}

/* In the strict mode the counter is forbidden, too. */
static void confine(bool strict)
{
    atomic_store(&confine_here, true);
    if (record_spool)
        atomic_store(&record_spool->confined, 1);
    if (strict)
        confine_counter();
}

/* One without a filter asks what the system can do. */
static bool confine_is_begun(bool strict, unsigned long filter)
{
    return strict || filter;
}

static int confine_missing(void)
{
    errno = ENOSYS;
    return -1;
}

#pragma GCC visibility push(default)

/* Under the C library's name, but with all that it may take: what is called is not to see a
 * difference, be it that it returns twice or on another stack. */
long confine_syscall(long number, long a, long b, long c, long d, long e,
                     long f) __asm__("syscall");
JUMPS long confine_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (number == SYS_seccomp && (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER) &&
        confine_is_begun(a == SECCOMP_SET_MODE_STRICT, (unsigned long)c))
        confine(a == SECCOMP_SET_MODE_STRICT);
    if (!real_ready() || !real.syscall)
        return confine_missing();
    JUMP return real.syscall(number, a, b, c, d, e, f);
}

int prctl(int option, ...)
{
    unsigned long words[4];
    va_list list;
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        words[i] = va_arg(list, unsigned long);
    va_end(list);
    if (option == PR_SET_SECCOMP && confine_is_begun(words[0] == SECCOMP_MODE_STRICT, words[1]))
        confine(words[0] == SECCOMP_MODE_STRICT);
    if (option == PR_SET_TSC && words[0] == PR_TSC_SIGSEGV)
        confine_counter();
    if (!real_ready() || !real.prctl)
        return confine_missing();
    return real.prctl(option, words[0], words[1], words[2], words[3]);
}
