/** Wrappers of dependencies that measure how long the work takes. @module */
import type { FilePort } from '../disk/files.ts'
import type { OpenJournal } from '../audit/journal/journal.ts'
import { andFinally } from '../model/awaitable.ts'
import type { KeyStore } from '../keystores/keystore.ts'

type Observe = (milliseconds: number) => void

/** Measures each durable write. */
export function measuredFiles(files: FilePort, observe: Observe): FilePort {
  return {
    ...files,
    createDurable: async (path) => {
      const file = await files.createDurable(path)
      return { ...file, write: timed((...given) => file.write(...given), observe) }
    },
  }
}

/** Measures how long each record waits. */
export function measuredJournal(journal: OpenJournal, observe: Observe): OpenJournal {
  return {
    append: timed(
      (...given: Parameters<OpenJournal['append']>) => journal.append(...given),
      observe,
    ),
    get healthy() {
      return journal.healthy
    },
    get position() {
      return journal.position
    },
    get hasReserve() {
      return journal.hasReserve
    },
    get lag() {
      return journal.lag
    },
    anchor: (...given) => journal.anchor(...given),
    checkpoint: () => journal.checkpoint(),
    close: () => journal.close(),
  }
}

/** Measures each operation, including its time in queues. */
export function measuredKeyStore(store: KeyStore, observe: Observe): KeyStore {
  return {
    createMaterial: timed((...given) => store.createMaterial(...given), observe),
    adoptMaterial: timed((...given) => store.adoptMaterial(...given), observe),
    importParameters: timed((...given) => store.importParameters(...given), observe),
    importMaterial: timed((...given) => store.importMaterial(...given), observe),
    encrypt: timed((...given) => store.encrypt(...given), observe),
    decrypt: timed((...given) => store.decrypt(...given), observe),
    publicKey: timed((...given) => store.publicKey(...given), observe),
    encryptBare: timed((...given) => store.encryptBare(...given), observe),
    decryptBare: timed((...given) => store.decryptBare(...given), observe),
    sign: timed((...given) => store.sign(...given), observe),
    verify: timed((...given) => store.verify(...given), observe),
    generateMac: timed((...given) => store.generateMac(...given), observe),
    verifyMac: timed((...given) => store.verifyMac(...given), observe),
    deriveSharedSecret: timed((...given) => store.deriveSharedSecret(...given), observe),
    encapsulate: timed((...given) => store.encapsulate(...given), observe),
    decapsulate: timed((...given) => store.decapsulate(...given), observe),
    generateKeyPair: timed((...given) => store.generateKeyPair(...given), observe),
    random: timed((...given) => store.random(...given), observe),
  }
}

function timed<A extends unknown[], R>(
  work: (...given: A) => R,
  observe: Observe,
): (...given: A) => R {
  return (...given) => {
    const started = performance.now()
    return andFinally(
      () => work(...given),
      () => observe(performance.now() - started),
    )
  }
}
