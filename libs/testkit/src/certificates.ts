import { randomBytes, type webcrypto } from 'node:crypto'
import './reflect-metadata.ts'
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** An issuer of certificates for tests. */
export interface TestCa extends Certificate {
  /** @param names host names and IP addresses that it is made out to */
  issue(subject: string, names?: readonly string[]): Promise<Certificate>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const HOUR_MS = 60 * 60_000
const LOCAL = ['localhost', '127.0.0.1']

/** Makes an issuer; certificates hold from an hour ago for an hour. */
export async function createTestCa(subject = 'Test CA'): Promise<TestCa> {
  const keys = await newKeys()
  const own = await X509CertificateGenerator.createSelfSigned({
    ...validity(),
    // Names are compared without case: "Redis" would be the issuer of itself for "redis".
    name: `CN=${subject} (issuer)`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  return {
    cert: own.toString('pem'),
    key: await pemOf(keys.privateKey),
    async issue(name, names = LOCAL) {
      const subjectKeys = await newKeys()
      const issued = await X509CertificateGenerator.create({
        ...validity(),
        subject: `CN=${name}`,
        issuer: own.subject,
        publicKey: subjectKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new SubjectAlternativeNameExtension(
            names.map(value => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value })),
          ),
        ],
      })
      return { cert: issued.toString('pem'), key: await pemOf(subjectKeys.privateKey) }
    },
  }
}

function validity() {
  return {
    serialNumber: randomBytes(8).toString('hex'),
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter: new Date(Date.now() + HOUR_MS),
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${bytes.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
}
