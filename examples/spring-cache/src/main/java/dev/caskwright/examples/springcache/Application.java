package dev.caskwright.examples.springcache;

import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Tells a note, and whether it had to be written: only the first time, however often the application is started. */
@SpringBootApplication
public class Application {
    /** Starts it; settings may be given as {@code --caches.directory=...}. */
    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    @Bean
    CommandLineRunner tell(Notes notes) {
        return arguments -> {
            Note note = notes.about("cask:1");
            System.out.println(note.text() + "; written: " + notes.written());
        };
    }
}
