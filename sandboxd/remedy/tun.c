#include "sandboxd/remedy/tun.h"

#include <sys/stat.h>

const char *tun_why_not(void)
{
    const mode_t everybody = S_IROTH | S_IWOTH;
    struct stat st;
    if (stat("/dev/net/tun", &st) < 0)
        return "there is no /dev/net/tun; load it (modprobe tun) or pass it to the container "
               "(--device /dev/net/tun)";
    if ((st.st_mode & everybody) != everybody)
        return "/dev/net/tun is closed to ordinary users; open it as udev does (chmod 0666 "
               "/dev/net/tun)";
    return "";
}
