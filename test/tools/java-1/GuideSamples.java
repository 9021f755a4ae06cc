import com.amazonaws.auth.AWSCredentials;
import com.amazonaws.auth.PropertiesCredentials;
import com.amazonaws.services.kms.AWSKMSClient;
import com.amazonaws.services.kms.model.*;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The calls of "Programming the AWS KMS API" (the guide of 2015) and of its later page on deletion, in
 * their order, through version 1 of the AWS SDK for Java; only the endpoint is another. Its arguments are
 * a properties file of credentials, the endpoint, and a principal to write policies and grants for; it
 * prints one `name value` line a step.
 */
@SuppressWarnings("deprecation") // the guide makes its client as one did then
public final class GuideSamples {
  private static final Integer LIMIT = 10;
  private final AWSKMSClient kms;
  private final String principal;

  private GuideSamples(String[] arguments) throws IOException {
    AWSCredentials creds = new PropertiesCredentials(new File(arguments[0]));
    kms = new AWSKMSClient(creds);
    kms.setEndpoint(arguments[1]);
    principal = arguments[2];
  }

  public static void main(String[] arguments) throws IOException {
    GuideSamples samples = new GuideSamples(arguments);
    String keyId = samples.keys();
    samples.data(keyId);
    samples.policies(keyId);
    samples.grants(keyId);
    samples.aliases(keyId);
    samples.deletion(keyId);
    samples.kms.shutdown();
  }

  private String keys() {
    String desc = "Key for protecting critical data";
    CreateKeyResult made = kms.createKey(new CreateKeyRequest().withDescription(desc));
    String keyId = made.getKeyMetadata().getArn();
    DescribeKeyResult described = kms.describeKey(new DescribeKeyRequest().withKeyId(keyId));
    print("described", described.getKeyMetadata().getDescription());
    String marker = null;
    ListKeysResult listed = kms.listKeys(new ListKeysRequest().withMarker(marker).withLimit(LIMIT));
    print("keys", listed.getKeys().size() + " " + listed.getTruncated());
    kms.disableKey(new DisableKeyRequest().withKeyId(keyId));
    try {
      kms.encrypt(new EncryptRequest().withKeyId(keyId).withPlaintext(bytes()));
      throw new AssertionError("a disabled key encrypts");
    } catch (DisabledException refusal) {
      print("disabled", refusal.getErrorCode() + " " + refusal.getStatusCode());
    }
    kms.enableKey(new EnableKeyRequest().withKeyId(keyId));
    return keyId;
  }

  private void data(String keyId) {
    GenerateDataKeyRequest dataKeyRequest = new GenerateDataKeyRequest();
    dataKeyRequest.setKeyId(keyId);
    dataKeyRequest.setKeySpec("AES_128");
    GenerateDataKeyResult dataKeyResult = kms.generateDataKey(dataKeyRequest);
    ByteBuffer plaintextKey = dataKeyResult.getPlaintext();
    ByteBuffer encryptedKey = dataKeyResult.getCiphertextBlob();
    print("data-key", plaintextKey.remaining() + " " + plaintextKey.equals(opened(encryptedKey)));

    EncryptRequest req = new EncryptRequest().withKeyId(keyId).withPlaintext(bytes());
    ByteBuffer ciphertext = kms.encrypt(req).getCiphertextBlob();
    print("opened", Arrays.toString(opened(ciphertext).array()));

    String destinationKeyId = kms.createKey(new CreateKeyRequest()).getKeyMetadata().getArn();
    ReEncryptRequest again = new ReEncryptRequest();
    again.setCiphertextBlob(ciphertext);
    again.setDestinationKeyId(destinationKeyId);
    ReEncryptResult moved = kms.reEncrypt(again);
    print("moved", moved.getKeyId().equals(destinationKeyId)
        + " " + opened(moved.getCiphertextBlob()).equals(bytes()));
  }

  private void policies(String keyId) {
    String marker = null;
    ListKeyPoliciesRequest req =
        new ListKeyPoliciesRequest().withKeyId(keyId).withMarker(marker).withLimit(LIMIT);
    print("policies", kms.listKeyPolicies(req).getPolicyNames().toString());
    String policyName = "default";
    String policy =
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Allow access for the account\","
            + "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"" + principal + "\"},"
            + "\"Action\":\"kms:*\",\"Resource\":\"*\"}]}";
    kms.putKeyPolicy(
        new PutKeyPolicyRequest().withKeyId(keyId).withPolicy(policy).withPolicyName(policyName));
    GetKeyPolicyResult result =
        kms.getKeyPolicy(new GetKeyPolicyRequest().withKeyId(keyId).withPolicyName(policyName));
    print("policy", String.valueOf(result.getPolicy().equals(policy)));
  }

  private void grants(String keyId) {
    String retired = grant(keyId, GrantOperation.Encrypt).getGrantToken();
    String grantId = grant(keyId, GrantOperation.Decrypt).getGrantId();
    print("grants", String.valueOf(grantsOf(keyId)));
    kms.retireGrant(new RetireGrantRequest().withGrantToken(retired));
    print("retired", String.valueOf(grantsOf(keyId)));
    kms.revokeGrant(new RevokeGrantRequest().withKeyId(keyId).withGrantId(grantId));
    print("revoked", String.valueOf(grantsOf(keyId)));
  }

  private CreateGrantResult grant(String keyId, GrantOperation operation) {
    CreateGrantRequest req = new CreateGrantRequest();
    req.setKeyId(keyId);
    req.setGranteePrincipal(principal);
    req.setRetiringPrincipal(principal);
    req.setOperations(Arrays.asList(operation.toString()));
    return kms.createGrant(req);
  }

  private int grantsOf(String keyId) {
    ListGrantsRequest req = new ListGrantsRequest().withKeyId(keyId).withLimit(LIMIT);
    return kms.listGrants(req).getGrants().size();
  }

  private void aliases(String targetKeyId) {
    String aliasName = "alias/privatekey1";
    kms.createAlias(
        new CreateAliasRequest().withAliasName(aliasName).withTargetKeyId(targetKeyId));
    print("aliases", String.valueOf(aliasesOf(aliasName)));
    String next = kms.createKey(new CreateKeyRequest()).getKeyMetadata().getKeyId();
    kms.updateAlias(new UpdateAliasRequest().withAliasName(aliasName).withTargetKeyId(next));
    DescribeKeyRequest named = new DescribeKeyRequest().withKeyId(aliasName);
    print("updated", String.valueOf(kms.describeKey(named).getKeyMetadata().getKeyId().equals(next)));
    kms.deleteAlias(new DeleteAliasRequest().withAliasName(aliasName));
    print("deleted", String.valueOf(aliasesOf(aliasName)));
  }

  /** Page by page: the aliases of AWS managed keys are listed as well. */
  private long aliasesOf(String aliasName) {
    String marker = null;
    long found = 0;
    do {
      ListAliasesRequest req = new ListAliasesRequest().withMarker(marker).withLimit(LIMIT);
      ListAliasesResult result = kms.listAliases(req);
      found += result.getAliases().stream().filter(a -> a.getAliasName().equals(aliasName)).count();
      marker = result.getNextMarker();
    } while (marker != null);
    return found;
  }

  private void deletion(String keyId) {
    int pendingWindowInDays = 10;
    ScheduleKeyDeletionRequest scheduleKeyDeletionRequest =
        new ScheduleKeyDeletionRequest()
            .withKeyId(keyId)
            .withPendingWindowInDays(pendingWindowInDays);
    kms.scheduleKeyDeletion(scheduleKeyDeletionRequest);
    print("scheduled", stateOf(keyId));
    CancelKeyDeletionRequest cancelKeyDeletionRequest =
        new CancelKeyDeletionRequest().withKeyId(keyId);
    kms.cancelKeyDeletion(cancelKeyDeletionRequest);
    print("cancelled", stateOf(keyId));
  }

  private String stateOf(String keyId) {
    return kms.describeKey(new DescribeKeyRequest().withKeyId(keyId)).getKeyMetadata().getKeyState();
  }

  private ByteBuffer opened(ByteBuffer ciphertextBlob) {
    return kms.decrypt(new DecryptRequest().withCiphertextBlob(ciphertextBlob)).getPlaintext();
  }

  private static ByteBuffer bytes() {
    return ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 0});
  }

  private static void print(String name, String value) {
    System.out.println(name + " " + value);
  }
}
