/* IFD handler (PC/SC part 3, pcsc-lite "IFDHandler 3.0") whose reader and card live behind a unix socket.
 *
 * DEVICENAME of reader.conf is the socket's path. Two connections for each reader, told apart by their first byte:
 *   'C' commands, one at a time:  op u8 | length u16 BE | data   ->   code u8 | length u16 BE | data
 *       op 'U' power up (answer: ATR), 'D' power down, 'T' transmit (APDU -> response),
 *          'X' escape (control code u32 BE, data -> response), 'A' attribute (tag u32 BE -> value)
 *       code 0 done, 1 communication error, 2 reader time-out, 3 card is gone, 4 no answer to reset
 *   'P' presence: the other side sends 1 (card) or 0 (no card) at once and on every change.
 */
#include <ifdhandler.h>
#include <poll.h>
#include <reader.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READERS 16
#define MAX_DATA 4096
#define RETRY_MS 100

static struct reader {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int command, presence; /* sockets, -1 when down */
    int card;
    UCHAR atr[MAX_ATR_SIZE];
    DWORD atr_length;
} readers[READERS];

static struct reader *of(DWORD lun) { return &readers[(lun >> 16) % READERS]; }

static int dial(const struct reader *r, char role) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(to.sun_path, r->path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, &role, 1, MSG_NOSIGNAL) == 1)
        return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static void hang_up(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* One command and its answer; `length` is the room on entry and the answer's length on return. */
static RESPONSECODE ask(struct reader *r, UCHAR op, const UCHAR *data, DWORD size, UCHAR *answer, DWORD *length) {
    static const RESPONSECODE codes[] = {IFD_SUCCESS, IFD_COMMUNICATION_ERROR, IFD_RESPONSE_TIMEOUT,
                                         IFD_ICC_NOT_PRESENT, IFD_ERROR_POWER_ACTION};
    UCHAR head[3] = {op, size >> 8, size & 255};
    DWORD room = *length, got;
    *length = 0;
    if (size > MAX_DATA) return IFD_COMMUNICATION_ERROR;
    if (r->command < 0) r->command = dial(r, 'C');
    if (r->command < 0) return IFD_COMMUNICATION_ERROR;
    if (send(r->command, head, 3, MSG_NOSIGNAL) != 3 ||
        (size && send(r->command, data, size, MSG_NOSIGNAL) != (ssize_t)size) ||
        recv(r->command, head, 3, MSG_WAITALL) != 3 || head[0] > 4 || (got = head[1] << 8 | head[2]) > room ||
        (got && recv(r->command, answer, got, MSG_WAITALL) != (ssize_t)got)) {
        hang_up(&r->command);
        return IFD_COMMUNICATION_ERROR;
    }
    if (head[0] == 0) *length = got;
    return codes[head[0]];
}

/* The same with a number before the data. */
static RESPONSECODE ask_with(struct reader *r, UCHAR op, DWORD number, const UCHAR *data, DWORD size, UCHAR *answer,
                             DWORD *length) {
    UCHAR whole[MAX_DATA] = {number >> 24, number >> 16, number >> 8, number};
    if (size > sizeof whole - 4) return IFD_COMMUNICATION_ERROR;
    if (size) memcpy(whole + 4, data, size);
    return ask(r, op, whole, size + 4, answer, length);
}

/* pcscd's own thread sits here: back at once when a card comes or goes. One byte a call, so that a card swapped
 * within a moment is seen as gone and then as another one. */
static RESPONSECODE wait_for_card(DWORD lun, int timeout_ms) {
    struct reader *r = of(lun);
    UCHAR now;
    if (r->presence < 0 && (r->presence = dial(r, 'P')) < 0) {
        poll(NULL, 0, RETRY_MS);
        return IFD_SUCCESS;
    }
    if (poll(&(struct pollfd){r->presence, POLLIN, 0}, 1, timeout_ms) <= 0) return IFD_SUCCESS;
    if (recv(r->presence, &now, 1, 0) == 1) {
        r->card = now;
    } else {
        r->card = 0;
        hang_up(&r->presence);
    }
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name) {
    struct reader *r = of(lun);
    if (strlen(name) >= sizeof r->path) return IFD_COMMUNICATION_ERROR;
    *r = (struct reader){.command = -1, .presence = -1};
    strcpy(r->path, name);
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel) {
    (void)lun, (void)channel;
    return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHCloseChannel(DWORD lun) {
    hang_up(&of(lun)->command);
    hang_up(&of(lun)->presence);
    return IFD_SUCCESS;
}

static RESPONSECODE give(PDWORD length, PUCHAR value, const void *from, DWORD size) {
    if (*length < size) return IFD_ERROR_INSUFFICIENT_BUFFER;
    memcpy(value, from, size);
    *length = size;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value) {
    RESPONSECODE (*waiting)(DWORD, int) = wait_for_card;
    switch (tag) {
    case TAG_IFD_ATR: return give(length, value, of(lun)->atr, of(lun)->atr_length);
    case TAG_IFD_SIMULTANEOUS_ACCESS: return give(length, value, &(UCHAR){READERS}, 1);
    case TAG_IFD_THREAD_SAFE: return give(length, value, &(UCHAR){1}, 1);
    case TAG_IFD_SLOTS_NUMBER: return give(length, value, &(UCHAR){1}, 1);
    case TAG_IFD_POLLING_THREAD_WITH_TIMEOUT: return give(length, value, &waiting, sizeof waiting);
    case TAG_IFD_POLLING_THREAD_KILLABLE: return give(length, value, &(UCHAR){1}, 1);
    case SCARD_ATTR_VENDOR_NAME:
    case SCARD_ATTR_VENDOR_IFD_VERSION:
    case SCARD_ATTR_VENDOR_IFD_SERIAL_NO: return ask_with(of(lun), 'A', tag, NULL, 0, value, length);
    default: return IFD_ERROR_TAG;
    }
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value) {
    (void)lun, (void)tag, (void)length, (void)value;
    return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3) {
    (void)lun, (void)protocol, (void)flags, (void)pts1, (void)pts2, (void)pts3;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD length) {
    struct reader *r = of(lun);
    RESPONSECODE code;
    r->atr_length = action == IFD_POWER_DOWN ? 0 : MAX_ATR_SIZE;
    code = ask(r, action == IFD_POWER_DOWN ? 'D' : 'U', NULL, 0, r->atr, &r->atr_length);
    memcpy(atr, r->atr, r->atr_length);
    *length = r->atr_length;
    return code;
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER in, PUCHAR data, DWORD size, PUCHAR answer, PDWORD length,
                               PSCARD_IO_HEADER out) {
    *out = in;
    return ask(of(lun), 'T', data, size, answer, length);
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR data, DWORD size, PUCHAR answer, DWORD room, LPDWORD length) {
    *length = room;
    return ask_with(of(lun), 'X', code, data, size, answer, length);
}

RESPONSECODE IFDHICCPresence(DWORD lun) { return of(lun)->card ? IFD_ICC_PRESENT : IFD_ICC_NOT_PRESENT; }
