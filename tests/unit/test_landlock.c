#include "sandboxd/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/state_directory.h"

/* Versions of the interface that brought what a test needs. */
enum { VERSION_TRUNCATE = 3, VERSION_SCOPES = 6 };

static void require_version(int version)
{
    if (landlock_version() < version) {
        print_message("this kernel's Landlock is version %d; the test needs %d\n",
                      landlock_version(), version);
        skip();
    }
}

static struct state_directory *home;

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", home->path, name);
    return path;
}

/* Each directory is called after what is allowed in it. */
static int set_up(void **state)
{
    if (state_directory_open(state) < 0)
        return -1;
    home = *state;
    mkdir(path_of("read"), 0755);
    mkdir(path_of("all"), 0755);
    close(open(path_of("read/file"), O_WRONLY | O_CREAT, 0755));
    close(open(path_of("file"), O_WRONLY | O_CREAT, 0755));
    return 0;
}

static int restrict_self(bool isolated)
{
    struct landlock_rules rules = {
        .rules = {{"", LANDLOCK_READ},
                  {"", LANDLOCK_READ | LANDLOCK_EXECUTE | LANDLOCK_WRITE | LANDLOCK_CHANGE},
                  {"/there/is/no/such/path", LANDLOCK_READ}},
        .count = 3,
    };
    strcpy(rules.rules[0].path, path_of("read"));
    strcpy(rules.rules[1].path, path_of("all"));
    return landlock_restrict(&rules, isolated, NULL);
}

/* In a child, which the rules hold for: the number of the first thing that is wrong. */
static void in_a_child(int (*try)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(try());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool is_refused(long result)
{
    return result < 0 && errno == EACCES;
}

static int try_files(void)
{
    if (restrict_self(false) < 0)
        return 100;
    if (open(path_of("read/file"), O_RDONLY) < 0 || open(path_of("read"), O_RDONLY) < 0)
        return 1;
    if (!is_refused(open(path_of("read/file"), O_WRONLY)) ||
        !is_refused(open(path_of("read/new"), O_WRONLY | O_CREAT, 0644)) ||
        !is_refused(unlink(path_of("read/file"))) || !is_refused(mkdir(path_of("read/new"), 0755)))
        return 2;
    if (open(path_of("all/new"), O_RDWR | O_CREAT, 0644) < 0 ||
        mkdir(path_of("all/directory"), 0755) < 0 ||
        mkfifo(path_of("all/directory/pipe"), 0600) < 0)
        return 3;
    if (!is_refused(open(path_of("file"), O_RDONLY)) || !is_refused(open("/dev/null", O_RDONLY)))
        return 4;
    if (!is_refused(mknod(path_of("all/device"), S_IFCHR, 0)) ||
        !is_refused(mknod(path_of("all/device"), S_IFBLK, 0)))
        return 5;
    return 0;
}

static void what_no_rule_allows_is_refused(void **state)
{
    (void)state;
    require_version(1);
    in_a_child(try_files);
}

static int try_truncate(void)
{
    return restrict_self(false) == 0 && is_refused(truncate(path_of("read/file"), 0)) &&
                   truncate(path_of("all/kept"), 0) == 0
               ? 0
               : 1;
}

static void a_file_is_shortened_by_writers_only(void **state)
{
    (void)state;
    require_version(VERSION_TRUNCATE);
    close(open(path_of("all/kept"), O_WRONLY | O_CREAT, 0755));
    in_a_child(try_truncate);
}

static int try_to_move(void)
{
    char from[128];
    strcpy(from, path_of("all/there"));
    if (restrict_self(false) < 0)
        return 100;
    if (rename(from, path_of("all/directory/here")) < 0)
        return 1;
    return rename(path_of("all/directory/here"), "/tmp/sandpool-landlock-moved") < 0 ? 0 : 2;
}

static void files_move_between_directories_with_equal_rights_only(void **state)
{
    (void)state;
    require_version(2);
    mkdir(path_of("all/directory"), 0755);
    close(open(path_of("all/there"), O_WRONLY | O_CREAT, 0755));
    in_a_child(try_to_move);
}

static int abstract_socket(int (*use)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", home->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (use(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + 1) + length) < 0)
        return -1;
    return fd;
}

static int try_outsiders(void)
{
    if (kill(getppid(), 0) < 0 || abstract_socket(connect) < 0)
        return 1;
    if (restrict_self(true) < 0)
        return 100;
    if (kill(getppid(), 0) == 0 || errno != EPERM)
        return 2;
    if (abstract_socket(connect) >= 0 || errno != EPERM)
        return 3;
    pid_t own = fork();
    if (own == 0) {
        pause();
        _exit(0);
    }
    return kill(own, SIGKILL) == 0 && waitpid(own, NULL, 0) == own ? 0 : 4;
}

static void an_isolated_process_reaches_its_own_only(void **state)
{
    (void)state;
    require_version(VERSION_SCOPES);
    int listener = abstract_socket(bind);
    assert_true(listener >= 0 && listen(listener, 1) == 0);
    in_a_child(try_outsiders);
    close(listener);
}

static int try_the_check(void)
{
    struct error err = {0};
    char directory[128];
    strcpy(directory, path_of("all"));
    if (landlock_require(directory, &err) == 0 || err.code != ERROR_DENIED)
        return 1;
    return restrict_self(false) < 0 || landlock_require(directory, &err) < 0 ? 2 : 0;
}

static void the_check_passes_behind_rules_only(void **state)
{
    (void)state;
    require_version(1);
    in_a_child(try_the_check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_rule_allows_is_refused),
        cmocka_unit_test(a_file_is_shortened_by_writers_only),
        cmocka_unit_test(files_move_between_directories_with_equal_rights_only),
        cmocka_unit_test(an_isolated_process_reaches_its_own_only),
        cmocka_unit_test(the_check_passes_behind_rules_only),
    };
    return cmocka_run_group_tests(tests, set_up, state_directory_close);
}
