/*
 * A PKCS #11 library for tests: it forwards every call to the library that FAULT_HSM_LIBRARY names, unless the
 * file that FAULT_HSM_RULES names asks for a fault. A rule is a line `FUNCTION FAULT [VALUE]`:
 *
 *   fail CODE   returns the code (hexadecimal)
 *   once CODE   returns the code the first time; the file `RULES.FUNCTION` remembers it
 *   hang        never returns
 *   crash       ends the process
 *   kill        does its work and kills the program that uses the library, the first time
 *   junk BYTES  writes this many bytes (hexadecimal) into the pipe of the process, which are no message
 *   short BYTES C_Encrypt and C_Decrypt give this many bytes (hexadecimal) less than they have
 *   iv          C_EncryptInit refuses an IV and makes its own, as AWS CloudHSM does
 *   flags BITS  C_GetTokenInfo sets these flags (hexadecimal)
 *   clear BITS  C_GetTokenInfo clears these flags
 *
 * It refuses a caller that does not say that calls come from several threads.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11.h"

static CK_FUNCTION_LIST_PTR real;
static CK_FUNCTION_LIST list;
/* The program that uses the library: it is the parent of this process. */
static pid_t program;

/* The fault of a function, and its value. Returns 0 if there is none. */
static int rule(const char *function, char *fault, unsigned long *value) {
  const char *path = getenv("FAULT_HSM_RULES");
  FILE *file = path ? fopen(path, "r") : NULL;
  char line[128], name[64];
  int found = 0;
  if (file == NULL) return 0;
  while (!found && fgets(line, sizeof line, file)) {
    *value = 0;
    found = sscanf(line, "%63s %15s %lx", name, fault, value) >= 2 && strcmp(name, function) == 0;
  }
  fclose(file);
  return found;
}

/* Whether the rule of a function has been used, by this process or by one before it. */
static int is_used(const char *function) {
  char path[4096];
  snprintf(path, sizeof path, "%s.%s", getenv("FAULT_HSM_RULES"), function);
  int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
  if (file >= 0) close(file);
  return file < 0;
}

/* The pipe to the program is the first descriptor after the usual three. */
static void write_junk(unsigned long bytes) {
  static const char junk[64] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  for (unsigned long at = 0; at < bytes; at += sizeof junk)
    if (write(3, junk, sizeof junk) < 0 && errno != EAGAIN) return;
}

/* The code that a function returns instead of its work; CKR_OK if it shall do its work. */
static CK_RV fault_of(const char *function) {
  char fault[16];
  unsigned long value;
  if (!rule(function, fault, &value)) return CKR_OK;
  if (strcmp(fault, "fail") == 0) return value;
  if (strcmp(fault, "once") == 0) return is_used(function) ? CKR_OK : value;
  if (strcmp(fault, "hang") == 0) for (;;) pause();
  if (strcmp(fault, "crash") == 0) abort();
  if (strcmp(fault, "junk") == 0) write_junk(value);
  return CKR_OK;
}

/* Kills the program where a rule says so. Its id may be another process's once it is dead. */
static CK_RV done(const char *function, CK_RV code) {
  char fault[16];
  unsigned long value;
  if (code || !rule(function, fault, &value) || strcmp(fault, "kill") || is_used(function)) return code;
  if (getppid() == program) kill(program, SIGKILL);
  _exit(1);
}

#define FAULTY(name, parameters, arguments) \
  static CK_RV faulty_##name parameters {   \
    CK_RV code = fault_of(#name);           \
    return code ? code : done(#name, real->name arguments); \
  }

/* The same, for functions that give bytes. */
#define SHORT(name)                                                                                                 \
  static CK_RV faulty_##name(CK_SESSION_HANDLE a, CK_BYTE_PTR b, CK_ULONG c, CK_BYTE_PTR d, CK_ULONG_PTR e) {       \
    char fault[16];                                                                                                 \
    unsigned long value;                                                                                            \
    CK_RV code = fault_of(#name);                                                                                   \
    if (code == CKR_OK) code = done(#name, real->name(a, b, c, d, e));                                              \
    if (code == CKR_OK && rule(#name, fault, &value) && strcmp(fault, "short") == 0 && *e >= value) *e -= value;    \
    return code;                                                                                                    \
  }

FAULTY(C_GetSlotList, (CK_BBOOL a, CK_SLOT_ID_PTR b, CK_ULONG_PTR c), (a, b, c))
FAULTY(C_OpenSession, (CK_SLOT_ID a, CK_FLAGS b, CK_VOID_PTR c, CK_NOTIFY d, CK_SESSION_HANDLE_PTR e), (a, b, c, d, e))
FAULTY(C_Login, (CK_SESSION_HANDLE a, CK_USER_TYPE b, CK_UTF8CHAR_PTR c, CK_ULONG d), (a, b, c, d))
FAULTY(C_SetPIN, (CK_SESSION_HANDLE a, CK_UTF8CHAR_PTR b, CK_ULONG c, CK_UTF8CHAR_PTR d, CK_ULONG e), (a, b, c, d, e))
SHORT(C_Encrypt)
FAULTY(C_DecryptInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c))
SHORT(C_Decrypt)
FAULTY(C_GenerateKey, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_ATTRIBUTE_PTR c, CK_ULONG d, CK_OBJECT_HANDLE_PTR e), (a, b, c, d, e))
FAULTY(C_GenerateRandom, (CK_SESSION_HANDLE a, CK_BYTE_PTR b, CK_ULONG c), (a, b, c))
FAULTY(C_DestroyObject, (CK_SESSION_HANDLE a, CK_OBJECT_HANDLE b), (a, b))
FAULTY(C_FindObjectsInit, (CK_SESSION_HANDLE a, CK_ATTRIBUTE_PTR b, CK_ULONG c), (a, b, c))

/* The parameter of CKM_AES_GCM, as PKCS #11 2.40 has it. */
struct gcm {
  CK_BYTE_PTR iv;
  CK_ULONG iv_bytes, iv_bits;
  CK_BYTE_PTR aad;
  CK_ULONG aad_bytes, tag_bits;
};

static CK_RV faulty_C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  char fault[16];
  unsigned long value;
  CK_RV code = fault_of("C_EncryptInit");
  if (code) return code;
  if (rule("C_EncryptInit", fault, &value) && strcmp(fault, "iv") == 0) {
    struct gcm *parameter = mechanism->pParameter;
    for (CK_ULONG at = 0; at < parameter->iv_bytes; at++)
      if (parameter->iv[at]) return CKR_ARGUMENTS_BAD;
    real->C_GenerateRandom(session, parameter->iv, parameter->iv_bytes);
  }
  return real->C_EncryptInit(session, mechanism, key);
}

static CK_RV faulty_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
  char fault[16];
  unsigned long value;
  CK_RV code = fault_of("C_GetTokenInfo");
  if (code) return code;
  code = real->C_GetTokenInfo(slot, info);
  if (code == CKR_OK && rule("C_GetTokenInfo", fault, &value)) {
    if (strcmp(fault, "flags") == 0) info->flags |= value;
    if (strcmp(fault, "clear") == 0) info->flags &= ~value;
  }
  return code;
}

static CK_RV faulty_C_Initialize(CK_VOID_PTR arguments) {
  CK_C_INITIALIZE_ARGS *given = arguments;
  program = getppid();
  if (given == NULL || !(given->flags & CKF_OS_LOCKING_OK)) return CKR_CANT_LOCK;
  return real->C_Initialize(arguments);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR into) {
  const char *path = getenv("FAULT_HSM_LIBRARY");
  void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  CK_RV (*find)(CK_FUNCTION_LIST_PTR_PTR) = library ? (CK_RV(*)(CK_FUNCTION_LIST_PTR_PTR))dlsym(library, "C_GetFunctionList") : NULL;
  if (find == NULL || find(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  list = *real;
#define FORWARD(name) list.name = faulty_##name
  FORWARD(C_Initialize);
  FORWARD(C_GetSlotList);
  FORWARD(C_GetTokenInfo);
  FORWARD(C_OpenSession);
  FORWARD(C_Login);
  FORWARD(C_SetPIN);
  FORWARD(C_EncryptInit);
  FORWARD(C_Encrypt);
  FORWARD(C_DecryptInit);
  FORWARD(C_Decrypt);
  FORWARD(C_GenerateKey);
  FORWARD(C_GenerateRandom);
  FORWARD(C_DestroyObject);
  FORWARD(C_FindObjectsInit);
  *into = &list;
  return CKR_OK;
}
