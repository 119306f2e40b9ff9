import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.util.Date;
import java.util.StringJoiner;
import java.util.TimeZone;
import org.quartz.CronExpression;

/** Reads lines `expression|zone|epoch-ms`; prints for each the next five fire times in epoch ms, or INVALID. */
public class Oracle {
  private static final int TIMES = 5;

  public static void main(String[] arguments) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    StringBuilder answers = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      answers.append(answer(line.split("\\|"))).append('\n');
    }
    System.out.print(answers);
  }

  private static String answer(String[] parts) {
    CronExpression expression;
    try {
      expression = new CronExpression(parts[0]);
    } catch (Exception invalid) {
      return "INVALID";
    }
    expression.setTimeZone(TimeZone.getTimeZone(ZoneId.of(parts[1])));
    StringJoiner times = new StringJoiner(",");
    Date after = new Date(Long.parseLong(parts[2]));
    for (int count = 0; count < TIMES; count++) {
      after = expression.getTimeAfter(after);
      if (after == null) break;
      times.add(Long.toString(after.getTime()));
    }
    return times.toString();
  }
}
