import type { PackageDefinition } from '@grpc/proto-loader'
import descriptor from 'protobufjs/ext/descriptor/index.js'

/**
 * What reflection tells of messages, made good. proto-loader's descriptors name no imports, mostly name types relatively, and name the
 * hidden message behind a map as the field; clients that link them as a compiler would (grpcurl, buf, everything in Go) refuse all three.
 */
export function completeFiles(definition: PackageDefinition): PackageDefinition {
  const files = distinctFilesOf(definition)
  const fileOfType = new Map<string, string>()
  for (const file of files) {
    for (const { scope, message } of messagesOf(file)) {
      nameMapEntries(message)
      fileOfType.set(`${scope}.${message.name}`, file.name)
      for (const { name } of message.enumType ?? []) fileOfType.set(`${scope}.${message.name}.${name}`, file.name)
    }
    for (const { name } of file.enumType ?? []) fileOfType.set(`.${file.package}.${name}`, file.name)
  }
  for (const file of files) {
    const imported = new Set<string>()
    for (const { scope, message } of messagesOf(file)) {
      for (const field of message.field ?? []) {
        if (!field.typeName) continue
        field.typeName = absoluteNameOf(field.typeName, `${scope}.${message.name}`, fileOfType)
        imported.add(fileOfType.get(field.typeName)!)
      }
    }
    imported.delete(file.name)
    file.dependency = [...imported]
  }
  const fileDescriptorProtos = files.map(file => Buffer.from(descriptor.FileDescriptorProto.encode(file).finish()))
  // The reflection service reads nothing else of a definition.
  return { files: { fileDescriptorProtos } } as unknown as PackageDefinition
}

/** google.protobuf.FileDescriptorProto and what is in it, as far as it matters here. */
interface File {
  readonly name: string
  readonly package: string
  dependency: string[]
  readonly messageType?: readonly Message[]
  readonly enumType?: readonly { readonly name: string }[]
}

interface Message {
  name: string
  readonly field?: readonly { readonly name: string; typeName?: string }[]
  readonly nestedType?: readonly Message[]
  readonly enumType?: readonly { readonly name: string }[]
  readonly options?: { readonly mapEntry?: boolean }
}

function distinctFilesOf(definition: PackageDefinition): File[] {
  const files = new Map<string, File>()
  for (const part of Object.values(definition)) {
    for (const bytes of Array.isArray(part.fileDescriptorProtos) ? part.fileDescriptorProtos : []) {
      const file = descriptor.FileDescriptorProto.decode(bytes) as unknown as File
      files.set(file.name, file)
    }
  }
  return [...files.values()]
}

function* messagesOf(file: File): Generator<{ scope: string; message: Message }> {
  const waiting = (file.messageType ?? []).map(message => ({ scope: `.${file.package}`, message }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next
    const scope = `${next.scope}.${next.message.name}`
    waiting.push(...(next.message.nestedType ?? []).map(message => ({ scope, message })))
  }
}

/** The compiler's rule: `statuses` has its entries in `StatusesEntry`. */
function nameMapEntries(message: Message): void {
  for (const nested of message.nestedType ?? []) {
    if (nested.options?.mapEntry !== true || nested.name.endsWith('Entry')) continue
    const fields = (message.field ?? []).filter(({ typeName }) => typeName === nested.name)
    nested.name = `${nested.name}Entry`
    for (const field of fields) field.typeName = nested.name
  }
}

/** From the innermost scope outwards, as the language has it. */
function absoluteNameOf(name: string, from: string, known: ReadonlyMap<string, string>): string {
  if (name.startsWith('.')) return name
  for (let scope = from; ; scope = scope.slice(0, scope.lastIndexOf('.'))) {
    const candidate = `${scope}.${name}`
    if (known.has(candidate)) return candidate
    if (scope === '') throw new Error(`the contract has no type ${name}, which ${from} uses`)
  }
}
