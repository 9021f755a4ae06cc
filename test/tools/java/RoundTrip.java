import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;
import java.util.Map;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.DataKeySpec;
import software.amazon.awssdk.services.kms.model.InvalidCiphertextException;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;

/**
 * Calls KMS through the AWS SDK for Java as its users do, with nothing set but the environment. Its
 * arguments are a key to encrypt under and a P-256 key to sign with; it prints one `name value` line a
 * result, bytes in hexadecimal.
 */
public final class RoundTrip {
  private static final byte[] MESSAGE = "hello from Java".getBytes(StandardCharsets.UTF_8);
  private static final Map<String, String> RIGHT =
      Map.of("purpose", "round trip", "city", "Zürich");
  private static final Map<String, String> WRONG =
      Map.of("purpose", "round trip", "city", "Genève");

  public static void main(String[] arguments) throws Exception {
    try (KmsClient client = KmsClient.create()) {
      encrypt(client, arguments[0]);
      dataKey(client, arguments[0]);
      sign(client, arguments[1]);
    } catch (KmsException error) {
      System.err.println(error.getClass().getSimpleName() + ": " + error.getMessage());
      System.exit(1);
    }
  }

  private static void encrypt(KmsClient client, String key) {
    SdkBytes plaintext = SdkBytes.fromByteArray(MESSAGE);
    SdkBytes sealed =
        client
            .encrypt(call -> call.keyId(key).plaintext(plaintext).encryptionContext(RIGHT))
            .ciphertextBlob();
    SdkBytes opened =
        client
            .decrypt(call -> call.ciphertextBlob(sealed).encryptionContext(RIGHT))
            .plaintext();
    System.out.println("ciphertext " + HexFormat.of().formatHex(sealed.asByteArray()));
    System.out.println("opened " + opened.asUtf8String());
    try {
      client.decrypt(call -> call.ciphertextBlob(sealed).encryptionContext(WRONG));
      throw new AssertionError("another context opened it");
    } catch (InvalidCiphertextException refusal) {
      System.out.println("refused " + refusal.awsErrorDetails().errorCode());
    }
  }

  private static void dataKey(KmsClient client, String key) {
    var made = client.generateDataKey(call -> call.keyId(key).keySpec(DataKeySpec.AES_256));
    SdkBytes opened =
        client.decrypt(call -> call.ciphertextBlob(made.ciphertextBlob())).plaintext();
    int length = made.plaintext().asByteArray().length;
    System.out.println("data-key " + length + " " + made.plaintext().equals(opened));
  }

  /** The signature is verified by Java's own provider under the public key that KMS hands out. */
  private static void sign(KmsClient client, String key) throws Exception {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(MESSAGE);
    byte[] signature =
        client
            .sign(
                call ->
                    call.keyId(key)
                        .message(SdkBytes.fromByteArray(digest))
                        .messageType(MessageType.DIGEST)
                        .signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256))
            .signature()
            .asByteArray();
    byte[] spki = client.getPublicKey(call -> call.keyId(key)).publicKey().asByteArray();
    Signature verifier = Signature.getInstance("SHA256withECDSA");
    verifier.initVerify(KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(spki)));
    verifier.update(MESSAGE);
    System.out.println("verified " + verifier.verify(signature));
  }
}
