/** What the operations of KMS never ask for. @module */

export function unused(): never {
  throw new Error('no KMS operation asks for this')
}

/** An object with these members only. Every other one is a method that is `unused`. */
export function withUnused<T extends object>(used: Partial<T>): T {
  return new Proxy(used, {
    get: (target, name): unknown => Reflect.get(target, name) ?? unused,
  }) as T // the others are there when somebody asks for them
}
