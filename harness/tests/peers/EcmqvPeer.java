// ECMQV on sect163k1 by BouncyCastle: a second opinion on the shared secret. Run as a single source file:
//   java -cp bcprov.jar EcmqvPeer.java PRIVATE EPHEMERAL_PRIVATE PEER_PUBLIC PEER_EPHEMERAL_PUBLIC   (all in hex)
// Prints the secret with the curve's cofactor, then the one that a party arrives at which leaves the cofactor out.
import java.math.BigInteger;
import org.bouncycastle.asn1.sec.SECNamedCurves;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.agreement.ECMQVBasicAgreement;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.MQVPrivateParameters;
import org.bouncycastle.crypto.params.MQVPublicParameters;
import org.bouncycastle.util.encoders.Hex;

class EcmqvPeer {
    public static void main(String[] keys) {
        X9ECParameters curve = SECNamedCurves.getByName("sect163k1");
        for (BigInteger cofactor : new BigInteger[] {curve.getH(), BigInteger.ONE}) {
            ECDomainParameters domain = new ECDomainParameters(curve.getCurve(), curve.getG(), curve.getN(), cofactor);
            ECMQVBasicAgreement agreement = new ECMQVBasicAgreement();
            agreement.init(new MQVPrivateParameters(secret(keys[0], domain), secret(keys[1], domain)));
            MQVPublicParameters peer = new MQVPublicParameters(open(keys[2], domain), open(keys[3], domain));
            System.out.printf("%042x%n", agreement.calculateAgreement(peer));
        }
    }

    private static ECPrivateKeyParameters secret(String hex, ECDomainParameters domain) {
        return new ECPrivateKeyParameters(new BigInteger(hex, 16), domain);
    }

    private static ECPublicKeyParameters open(String hex, ECDomainParameters domain) {
        return new ECPublicKeyParameters(domain.getCurve().decodePoint(Hex.decode(hex)), domain);
    }
}
